"""The DiT block: attention and MLP, each modulated and gated by the time (adaLN-Zero)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppvd.nn.attention import Attention
from ppvd.nn.modulation import modulated_norm
from ppvd.nn.positions import Rotary

Branch = tuple[Tensor, Tensor, Tensor]
"""Shift, scale and gate of one branch, ``(B or 1, 1, D)`` each."""


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

    Args:
        width: Channels ``D``.
        num_heads: Attention heads.
        hidden: Channels inside the MLP.
    """

    def __init__(self, width: int, num_heads: int, hidden: int) -> None:
        super().__init__()
        self.attention = Attention(width, num_heads)
        self.mlp = Mlp(width, hidden)

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        self.attention.reset_parameters()
        self.mlp.reset_parameters()

    def forward(
        self, tokens: Tensor, mixing: Branch, mapping: Branch, rotary: Rotary | None
    ) -> Tensor:
        """Transform tokens ``(B, N, D)``; ``mixing`` modulates attention, ``mapping`` the MLP."""
        shift, scale, gate = mixing
        mixed = self.attention(modulated_norm(tokens, shift, scale), rotary)
        tokens = torch.addcmul(tokens, gate, mixed)
        shift, scale, gate = mapping
        mapped = self.mlp(modulated_norm(tokens, shift, scale))
        return torch.addcmul(tokens, gate, mapped)
