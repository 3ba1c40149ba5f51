"""Passes over all solids: the nearest one at each pixel centre, at extra points, and shadows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.intersect import Mask, affine, meet, target
from ppvd.data.sources.synthetic.portable import Array
from ppvd.data.sources.synthetic.view import View

NOTHING = -1
"""Identity of what is seen where no solid is hit: the sky."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The pixel grid of a picture in image coordinates ``(u - cx) / focal``.

    Attributes:
        x: ``(1, W)``.
        y: ``(H, 1)``.
        focal: Pixels.
    """

    x: Array
    y: Array
    focal: float

    @classmethod
    def of(cls, height: int, width: int, focal: float) -> "Grid":
        """Return the grid whose principal point is the middle of the picture."""
        x = (np.arange(width, dtype=np.float64) - 0.5 * (width - 1)) / focal
        y = (np.arange(height, dtype=np.float64) - 0.5 * (height - 1)) / focal
        return cls(x[None, :], y[:, None], focal)

    def limits(self) -> tuple[float, float, float, float]:
        """Return the bounds of the picture, one pixel wider."""
        return (*self._ends(self.x), *self._ends(self.y))

    def rectangles(self, view: View) -> list[tuple[int, int, int, int]]:
        """Return ``(top, bottom, left, right)`` of each solid, half open, one pixel wider."""
        spans = []
        for axis, size in ((self.y, self.y.size), (self.x, self.x.size)):
            first = 2 if axis is self.y else 0
            low = np.floor((view.box[:, first] * self.focal) + 0.5 * (size - 1))
            high = np.ceil((view.box[:, first + 1] * self.focal) + 0.5 * (size - 1)) + 1.0
            spans += [np.clip(low, 0, size), np.clip(high, 0, size)]
        top, bottom, left, right = (span.astype(np.int64).tolist() for span in spans)
        return list(zip(top, bottom, left, right, strict=True))

    def intrinsics(self) -> Array:
        """Return the pinhole matrix in pixels, ``(3, 3)``."""
        cx, cy = 0.5 * (self.x.size - 1), 0.5 * (self.y.size - 1)
        return np.array([[self.focal, 0.0, cx], [0.0, self.focal, cy], [0.0, 0.0, 1.0]])

    def _ends(self, axis: Array) -> tuple[float, float]:
        step = 1.0 / self.focal
        return float(axis.flat[0]) - step, float(axis.flat[-1]) + step


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The nearest surface along each ray.

    Attributes:
        w: Inverse depth, float64, 0 where nothing is hit.
        row: The solid, or `NOTHING`, int64.
    """

    w: Array
    row: NDArray[np.int64]


def cast_grid(view: View, grid: Grid) -> Seen:
    """Find the nearest solid at every pixel centre, ``(H, W)``."""
    shape = grid.y.size, grid.x.size
    best, rows = np.zeros(shape), np.full(shape, NOTHING, np.int64)
    areas = grid.rectangles(view)
    for row in view.in_order(grid.limits()):
        top, bottom, left, right = areas[row]
        if top >= bottom or left >= right:
            continue
        area = (slice(top, bottom), slice(left, right))
        kept = best[area]
        if kept.min() >= view.nearest[row]:
            continue
        w, hit = meet(target(view, row), grid.x[:, left:right], grid.y[top:bottom])
        hit &= w > kept
        np.copyto(kept, w, where=hit)
        rows[area][hit] = row
    return Seen(best, rows)


def cast_points(view: View, grid: Grid, pixels: NDArray[np.int64], x: Array, y: Array) -> Seen:
    """Find the nearest solid along extra rays near chosen pixels.

    Args:
        view: The solids.
        grid: The picture.
        pixels: Flat indices of the pixels, ascending, ``(n,)``.
        x: Image coordinates of the rays, within one pixel of their pixel's, ``(n, s)``.
        y: The other coordinates, ``(n, s)``.

    Returns:
        What each ray sees, ``(n, s)``.
    """
    line, column = np.divmod(pixels, grid.x.size)
    starts = np.searchsorted(line, np.arange(grid.y.size + 1)).tolist()
    best, rows = np.zeros(x.shape), np.full(x.shape, NOTHING, np.int64)
    areas = grid.rectangles(view)
    for row in view.in_order(grid.limits()):
        top, bottom, left, right = areas[row]
        first, last = starts[max(top - 1, 0)], starts[min(bottom + 1, grid.y.size)]
        near = column[first:last]
        chosen = np.flatnonzero((near >= left - 1) & (near <= right)) + first
        if not chosen.size:
            continue
        kept = best[chosen]
        if kept.min() >= view.nearest[row]:
            continue
        w, hit = meet(target(view, row), x[chosen], y[chosen])
        hit &= w > kept
        best[chosen] = np.where(hit, w, kept)
        rows[chosen] = np.where(hit, row, rows[chosen])
    return Seen(best, rows)


def cast_shadow(view: View, grid: Grid, floor: tuple[float, float, float], seen: Mask) -> Mask:
    """Return which of the floor's pixels ``seen`` lie in the shadow of a solid.

    Args:
        view: The solids through `Pinhole.onto_ground`.
        grid: The picture.
        floor: Coefficients of the floor's inverse depth.
        seen: Pixels that show the floor, ``(H, W)``.
    """
    shadow = np.zeros_like(seen)
    areas = grid.rectangles(view)
    for row in view.in_order(grid.limits()):
        top, bottom, left, right = areas[row]
        area = (slice(top, bottom), slice(left, right))
        if not view.stack.casts[row] or not seen[area].any():
            continue
        x, y = grid.x[:, left:right], grid.y[top:bottom]
        w, hit = meet(target(view, row), x, y)
        shadow[area] |= hit & (w > affine(floor, x, y))
    return shadow & seen
