"""adaLN-Zero: how the time moves every block (section III-C, after DiT)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppvd.nn.embed import TimeEmbedding

NORM_EPS = 1e-6
"""Added to the variance in the layer norm of tokens; released code."""


Branch = tuple[Tensor, Tensor, Tensor]
"""Shift, scale and gate of one branch, ``(B or 1, [1,] 1, D)`` each."""


class Branches(NamedTuple):
    """Modulation of one block: of its attention and of its MLP."""

    mixing: Branch
    mapping: Branch


@dataclass(frozen=True)
class Modulation:
    """Shift, scale and gate of every branch of a network, for ``N`` times.

    Each block has two branches, attention and MLP; the head is one more without a gate.
    Temporal blocks come first, then the blocks, then the head.
    Index it to pick times of a grid computed at once: ``modulation[i]`` serves a whole batch.

    Attributes:
        shift: Added after the norm, ``(N, branches + 1, 1, D)``.
        scale: Factor after the norm, 1 where the time changes nothing, shape of ``shift``.
        gate: Factor of the branch's output, ``(N, branches, 1, D)``.
        num_temporal: Temporal blocks; one stands before each of that many last blocks.
    """

    shift: Tensor
    scale: Tensor
    gate: Tensor
    num_temporal: int = 0

    def __getitem__(self, index: int) -> "Modulation":
        """Return the modulation of one time, ``N = 1``."""
        return self._each(lambda part: part[index : index + 1])

    def to(self, dtype: torch.dtype) -> "Modulation":
        """Return it in ``dtype``."""
        return self._each(lambda part: part.to(dtype))

    def over_frames(self) -> "Modulation":
        """Return it for clips, ``(N, ..., 1, 1, D)``: all frames of a clip share its time."""
        return self._each(lambda part: part.unsqueeze(2))

    def blocks(self) -> list[tuple[Branches, Branches | None]]:
        """Return each block's own modulation and that of the temporal block before it."""
        shifts, scales = self.shift[:, :-1].unbind(1), self.scale[:, :-1].unbind(1)
        branches = list(zip(shifts, scales, self.gate.unbind(1), strict=True))
        pairs = [Branches(*pair) for pair in zip(branches[0::2], branches[1::2], strict=True)]
        temporal, own = pairs[: self.num_temporal], pairs[self.num_temporal :]
        before = [None] * (len(own) - len(temporal)) + temporal
        return list(zip(own, before, strict=True))

    def head(self) -> tuple[Tensor, Tensor]:
        """Return shift and scale of the head, ``(N, [1,] 1, D)`` each."""
        return self.shift[:, -1], self.scale[:, -1]

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Modulation":
        return Modulation(
            change(self.shift), change(self.scale), change(self.gate), self.num_temporal
        )


class Modulator(nn.Module):
    """Time to the modulation of all blocks and the head, with one matrix.

    Runs in its weights' precision, outside autocast: the matrix holds 30 % of the network's
    parameters but meets one row a sample, so casting it would cost more than using it.

    Args:
        width: Channels ``D``.
        num_blocks: Blocks, of two gated branches each.
        num_temporal: Temporal blocks. Their matrix is one of its own, so that the other fits
            the network with them and without.
    """

    def __init__(self, width: int, num_blocks: int, *, num_temporal: int = 0) -> None:
        super().__init__()
        self.num_temporal = num_temporal
        self.embed = TimeEmbedding(width)
        self.out = nn.Linear(width, (6 * num_blocks + 2) * width)
        self.temporal = nn.Linear(width, 6 * num_temporal * width) if num_temporal else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start without any modulation: shift 0, scale 1, gate 0."""
        self.embed.reset_parameters()
        for layer in (self.out, self.temporal):
            if layer is not None:
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, time: Tensor) -> Modulation:
        """Modulate for times in [0, 1], ``(N,)``."""
        with torch.autocast(time.device.type, enabled=False):
            embedding = F.silu(self.embed(time))
            rows = self.out(embedding)
            if self.temporal is not None:
                rows = torch.cat([self.temporal(embedding), rows], 1)
            rows = rows.view(len(time), -1, 1, embedding.shape[-1])
            # Rows run shift, scale, gate, shift, scale, gate, ..., shift, scale.
            parts = rows[:, 0::3], 1 + rows[:, 1::3], rows[:, 2::3]
            return Modulation(*parts, self.num_temporal)


def modulated_norm(tokens: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalise tokens ``(B, [T,] N, D)``, then scale and shift, ``(B or 1, [1,] 1, D)``."""
    width = tokens.shape[-1:]
    if len(scale) == 1 and not torch.is_grad_enabled():
        # One time for the whole batch: the norm's own affine part does it in one pass.
        return F.layer_norm(tokens, width, scale.flatten(), shift.flatten(), NORM_EPS)
    return torch.addcmul(shift, F.layer_norm(tokens, width, eps=NORM_EPS), scale)
