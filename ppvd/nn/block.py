"""The DiT block: attention and MLP, each modulated and gated by the time (adaLN-Zero)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ppvd.nn.attention import Attention
from ppvd.nn.condition import Stage
from ppvd.nn.modulation import Branch, Branches, modulated_norm
from ppvd.nn.propagation import Propagation, References


class Mlp(nn.Module):
    """Two layers with a GELU (tanh form) between.

    Args:
        width: Channels ``D`` in and out.
        hidden: Channels between.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, hidden)
        self.out = nn.Linear(hidden, width)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw matrices Xavier-uniformly and zero biases."""
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map each token ``(..., D)`` on its own."""
        out: Tensor = self.out(gelu(self.hidden(tokens)))
        return out


def gelu(hidden: Tensor) -> Tensor:
    """GELU in its tanh form, as released.

    On a CPU in bfloat16 the exact form stands in: they differ by less than 5e-4, a tenth of
    what bfloat16 itself costs the network, and it is three times as fast there.
    """
    exact = hidden.device.type == "cpu" and hidden.dtype is torch.bfloat16
    return F.gelu(hidden, approximate="none" if exact else "tanh")


class Block(nn.Module):
    """A DiT block without its own time matrix: the network's `Modulator` computes all at once.

    In clips it may let the frames meet (section III-D), in two ways that images pass by.

    Args:
        width: Channels ``D``.
        num_heads: Attention heads.
        hidden: Channels inside the MLP.
        propagation: Reference frames that every frame sees.
        temporal: Whether a block of attention over the frames at each place comes first.
        recompute: Whether activations are recomputed in the backward pass.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        hidden: int,
        *,
        propagation: Propagation | None = None,
        temporal: bool = False,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.propagation, self.recompute = propagation, recompute
        self.temporal = Block(width, num_heads, hidden) if temporal else None
        gated = propagation is not None and propagation.gated
        self.attention = Attention(width, num_heads, gated=gated)
        self.mlp = Mlp(width, hidden)

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        for part in (self.temporal, self.attention, self.mlp):
            if part is not None:
                part.reset_parameters()

    def forward(
        self,
        tokens: Tensor,
        own: Branches,
        stage: Stage | None = None,
        before: Branches | None = None,
    ) -> Tensor:
        """Transform tokens.

        Args:
            tokens: Of images ``(B, N, D)`` or of clips ``(B, T, N, D)``.
            own: Modulation of this block.
            stage: Where the tokens lie; None is nowhere.
            before: Modulation of the temporal block.
        """
        if not (self.recompute and torch.is_grad_enabled()):
            return self._transform(tokens, own, stage, before)
        arguments = tokens, own, stage, before
        # No block draws random numbers, so there is no state to keep.
        transformed: Tensor = checkpoint(
            self._transform, *arguments, use_reentrant=False, preserve_rng_state=False
        )
        return transformed

    def _transform(
        self, tokens: Tensor, own: Branches, stage: Stage | None, before: Branches | None
    ) -> Tensor:
        references = None
        if self.temporal is not None and before is not None and tokens.ndim == 4:
            tokens = self.temporal(tokens.transpose(1, 2), before).transpose(1, 2)
        if self.propagation is not None and stage is not None and tokens.ndim == 4:
            references = self.propagation.gather(tokens, stage)
        tokens = self._mix(tokens, own.mixing, stage, references)
        shift, scale, gate = own.mapping
        mapped = self.mlp(modulated_norm(tokens, shift, scale))
        return torch.addcmul(tokens, gate, mapped)

    def _mix(
        self, tokens: Tensor, mixing: Branch, stage: Stage | None, references: References | None
    ) -> Tensor:
        shift, scale, gate = mixing
        shared = None
        if references is not None:
            # The block leaves references as they are: their keys and values are all it needs.
            seen = modulated_norm(references.tokens, shift, scale)
            shared = self.attention.keys_and_values(seen, references.rotary)
        rotary = None if stage is None else stage.rotary
        mixed = self.attention(modulated_norm(tokens, shift, scale), rotary, shared)
        return torch.addcmul(tokens, gate, mixed)
