"""A periodic picture of fractal noise with its mip levels, and a table of random numbers."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
"""Arrays of float32; NumPy's own annotations lose that width beside a Python float."""

SIDE = 512
"""Texels along a side of the finest level."""
_LEVELS = 8
_TABLE = 1024


class Pyramid(NamedTuple):
    """All levels in one row, finest first, and where each begins."""

    texels: Floats
    starts: NDArray[np.int32]


def noise(u: Floats, v: Floats, footprint: Floats) -> Floats:
    """Return smooth noise of mean 0 and values in about [-1, 1].

    Args:
        u: Position in periods of the noise; eight of its coarsest blots fit into one.
        v: The other position.
        footprint: Extent of a pixel in periods: finer detail is averaged away.
    """
    pyramid = _pyramid()
    _, level = np.frexp(np.maximum(footprint * SIDE, 0.5))
    level = np.clip(level, 0, _LEVELS - 1)
    side = np.right_shift(np.int32(SIDE), level)
    left, across, right = _cell(u, side)
    top, down, bottom = _cell(v, side)
    start = pyramid.starts.take(level)
    upper, lower = start + top * side, start + bottom * side
    texels = pyramid.texels
    first = texels.take(upper + left)
    first += across * (texels.take(upper + right) - first)
    last = texels.take(lower + left)
    last += across * (texels.take(lower + right) - last)
    mixed: Floats = first + down * (last - first)
    return mixed


def scatter(first: Floats, second: Floats, seed: Floats) -> Floats:
    """Return a random number in [0, 1) for each cell ``(first, second)`` of whole numbers."""
    index = first * 73.0 + second * 179.0 + seed * 7.0
    return _table().take(_wrap(index, _TABLE))


def _cell(
    position: Floats, side: NDArray[np.int32]
) -> tuple[NDArray[np.int32], Floats, NDArray[np.int32]]:
    """Return the texel at or before ``position``, how far past it we are, and the next texel."""
    scaled = (position - np.floor(position)) * side.astype(np.float32)
    whole = np.floor(scaled)
    first = whole.astype(np.int32) & (side - 1)
    return first, scaled - whole, (first + 1) & (side - 1)


def _wrap(value: Floats, period: int) -> NDArray[np.int32]:
    inside = value - np.floor(value / period) * period
    index: NDArray[np.int32] = np.clip(inside.astype(np.int32), 0, period - 1)
    return index


@cache
def _table() -> Floats:
    raw = np.random.PCG64(7).random_raw(_TABLE)
    return (raw >> np.uint64(40)).astype(np.float32) * 2.0**-24


@cache
def _pyramid() -> Pyramid:
    """Add octaves of 8 to 256 cells a side, each at 0.7 of the one before; then halve."""
    level = np.zeros((SIDE, SIDE), np.float32)
    weight = 0.55
    for octave in range(3, 9):
        level += weight * _octave(1 << octave, seed=octave)
        weight *= 0.7
    levels: list[Floats] = [level]
    while len(levels) < _LEVELS:
        fine = levels[-1]
        pairs = fine[0::2] + fine[1::2]
        levels.append((pairs[:, 0::2] + pairs[:, 1::2]) * 0.25)
    sizes = [part.size for part in levels]
    starts = np.array([sum(sizes[:i]) for i in range(_LEVELS)], np.int32)
    return Pyramid(np.concatenate([part.ravel() for part in levels]), starts)


def _octave(cells: int, *, seed: int) -> Floats:
    """Return ``cells`` x ``cells`` random values in [-1, 1), smoothly enlarged to `SIDE`."""
    raw = np.random.PCG64(seed).random_raw(cells * cells)
    values = (raw >> np.uint64(40)).astype(np.float32) * 2.0**-23 - 1.0
    grid = values.reshape(cells, cells)
    step = SIDE // cells
    share = np.arange(step, dtype=np.float32) / step
    ease = share * share * (3.0 - 2.0 * share)
    for _ in range(2):
        rest = np.roll(grid, -1, axis=0) - grid
        grid = (grid[:, None] + ease[None, :, None] * rest[:, None]).reshape(-1, grid.shape[1]).T
    return np.ascontiguousarray(grid)
