"""adaLN-Zero: how the time moves every block (section III-C, after DiT)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppvd.nn.embed import TimeEmbedding

NORM_EPS = 1e-6
"""Added to the variance in the layer norm of tokens; released code."""


@dataclass(frozen=True)
class Modulation:
    """Shift, scale and gate of every branch of a network, for ``N`` times.

    Each block has two branches, attention and MLP; the head is one more without a gate.
    Index it to pick times of a grid computed at once: ``modulation[i]`` serves a whole batch.

    Attributes:
        shift: Added after the norm, ``(N, branches + 1, 1, D)``.
        scale: Factor after the norm, 1 where the time changes nothing, shape of ``shift``.
        gate: Factor of the branch's output, ``(N, branches, 1, D)``.
    """

    shift: Tensor
    scale: Tensor
    gate: Tensor

    def __getitem__(self, index: int) -> "Modulation":
        """Return the modulation of one time, ``N = 1``."""
        picked = slice(index, index + 1)
        return Modulation(self.shift[picked], self.scale[picked], self.gate[picked])

    def to(self, dtype: torch.dtype) -> "Modulation":
        """Return it in ``dtype``."""
        return Modulation(self.shift.to(dtype), self.scale.to(dtype), self.gate.to(dtype))

    def branches(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Return shift, scale and gate of each branch, ``(N, 1, D)`` each."""
        shifts, scales = self.shift[:, :-1].unbind(1), self.scale[:, :-1].unbind(1)
        return list(zip(shifts, scales, self.gate.unbind(1), strict=True))

    def head(self) -> tuple[Tensor, Tensor]:
        """Return shift and scale of the head, ``(N, 1, D)`` each."""
        return self.shift[:, -1], self.scale[:, -1]


class Modulator(nn.Module):
    """Time to the modulation of all blocks and the head, with one matrix.

    Runs in its weights' precision, outside autocast: the matrix holds 30 % of the network's
    parameters but meets one row a sample, so casting it would cost more than using it.

    Args:
        width: Channels ``D``.
        num_branches: Gated branches, two a block.
    """

    def __init__(self, width: int, num_branches: int) -> None:
        super().__init__()
        self.embed = TimeEmbedding(width)
        self.out = nn.Linear(width, (3 * num_branches + 2) * width)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start without any modulation: shift 0, scale 1, gate 0."""
        self.embed.reset_parameters()
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, time: Tensor) -> Modulation:
        """Modulate for times in [0, 1], ``(N,)``."""
        with torch.autocast(time.device.type, enabled=False):
            embedding = self.embed(time)
            rows = self.out(F.silu(embedding)).view(len(time), -1, 1, embedding.shape[-1])
            # Rows run shift, scale, gate, shift, scale, gate, ..., shift, scale.
            return Modulation(rows[:, 0::3], 1 + rows[:, 1::3], rows[:, 2::3])


def modulated_norm(tokens: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalise tokens ``(B, N, D)``, then scale and shift them, ``(B or 1, 1, D)``."""
    width = tokens.shape[-1:]
    if len(scale) == 1 and not torch.is_grad_enabled():
        # One time for the whole batch: the norm's own affine part does it in one pass.
        return F.layer_norm(tokens, width, scale.flatten(), shift.flatten(), NORM_EPS)
    return torch.addcmul(shift, F.layer_norm(tokens, width, eps=NORM_EPS), scale)
