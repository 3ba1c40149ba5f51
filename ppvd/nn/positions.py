"""Where a token is: 2-D rotary angles and fixed sine-cosine tables.

Tables depend on the grid alone; a few grids are remembered for each device.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ppvd.nn.grid import TokenGrid

ROTARY_BASE = 100.0
"""Longest rotary wavelength over 2 pi, in tokens; released code."""

SINCOS_BASE = 10000.0
"""Longest sine wavelength over 2 pi, in tokens; released code."""


@dataclass(frozen=True)
class Rotary:
    """Rotations of query and key channels by the place of their token.

    Channel ``i`` of a head turns with channel ``i + d/2``. The first quarter of the head
    turns by the row, the second by the column. (The released code keeps the two channels of a
    pair ``d/4`` apart; the order is immaterial and its weights are permuted on loading.)

    Attributes:
        cos: Cosine of each channel's angle, ``(N, 1, d)``.
        sin: Sine, negative in the first half of the head, ``(N, 1, d)``.
    """

    cos: Tensor
    sin: Tensor

    def turn(self, heads: Tensor) -> Tensor:
        """Rotate queries or keys, ``(..., N, num_heads, d)``."""
        cos, sin = self.cos.to(heads.dtype), self.sin.to(heads.dtype)
        return torch.addcmul(heads * cos, heads.roll(heads.shape[-1] // 2, -1), sin)


def rotary(
    grid: TokenGrid, head_dim: int, device: torch.device, *, pool: int | None = None
) -> Rotary:
    """Return the rotations of a grid's tokens, from memory where it has them.

    With ``pool`` they are those of windows of ``pool * pool`` tokens, at the windows' centres.
    """
    # A compiled graph computes the table itself: a remembered one would be a hidden input.
    if torch.compiler.is_compiling():
        return _build_rotary(grid, head_dim, device, pool)
    return _remembered_rotary(grid, head_dim, device, pool)


def sincos(grid: TokenGrid, width: int, device: torch.device) -> Tensor:
    """Return the fixed sine-cosine embedding of a grid's tokens, ``(N, width)``.

    The first half of the channels encodes the column and the second the row, each as sines
    then cosines (released video model).
    """
    if torch.compiler.is_compiling():
        return _build_sincos(grid, width, device)
    return _remembered_sincos(grid, width, device)


def forget_tables() -> None:
    """Drop what is remembered: tables made among imagined tensors are of no use among real ones."""
    _remembered_rotary.cache_clear()
    _remembered_sincos.cache_clear()


def _build_rotary(grid: TokenGrid, head_dim: int, device: torch.device, pool: int | None) -> Rotary:
    row, col = grid.pooled_coordinates(pool, device) if pool else grid.coordinates(device)
    quarter = head_dim // 4
    exponents = torch.arange(quarter, dtype=torch.float32, device=device) / quarter
    frequencies = 1.0 / ROTARY_BASE**exponents
    angles = torch.cat([row[:, None] * frequencies, col[:, None] * frequencies], dim=1)
    cos, sin = angles.cos(), angles.sin()
    return Rotary(torch.cat([cos, cos], 1)[:, None], torch.cat([-sin, sin], 1)[:, None])


def _build_sincos(grid: TokenGrid, width: int, device: torch.device) -> Tensor:
    row, col = grid.coordinates(device)
    quarter = width // 4
    exponents = torch.arange(quarter, dtype=torch.float64, device=device) / quarter
    frequencies = 1.0 / SINCOS_BASE**exponents
    angles = [axis[:, None].double() * frequencies for axis in (col, row)]
    return torch.cat([f(angle) for angle in angles for f in (torch.sin, torch.cos)], 1).float()


@lru_cache(maxsize=16)
def _remembered_rotary(
    grid: TokenGrid, head_dim: int, device: torch.device, pool: int | None
) -> Rotary:
    # A table made under inference mode could not take part in training later.
    with torch.inference_mode(False):
        return _build_rotary(grid, head_dim, device, pool)


@lru_cache(maxsize=16)
def _remembered_sincos(grid: TokenGrid, width: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return _build_sincos(grid, width, device)
