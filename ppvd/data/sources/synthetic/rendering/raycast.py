"""Passes over all solids: the nearest one at each pixel centre, at extra points, and shadows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.portable import Array
from ppvd.data.sources.synthetic.rendering.intersect import Mask, affine, meet
from ppvd.data.sources.synthetic.rendering.target import Target, targets
from ppvd.data.sources.synthetic.rendering.view import View
from ppvd.data.sources.synthetic.scene import Shape

NOTHING = -1
"""Identity of what is seen where no solid is hit: the sky."""

_SMALLEST_PX = 0.75
"""Solids that are smaller than this in the picture both ways are left out (ours)."""
_THINNEST_PX = 0.2
"""Rods that are thinner than this all along, such as far wires, are left out (ours)."""


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

    def intrinsics(self) -> Array:
        """Return the pinhole matrix in pixels, ``(3, 3)``."""
        cx, cy = 0.5 * (self.x.size - 1), 0.5 * (self.y.size - 1)
        return np.array([[self.focal, 0.0, cx], [0.0, self.focal, cy], [0.0, 0.0, 1.0]])


class Subject(NamedTuple):
    """A solid that may be in the picture.

    Attributes:
        row: Its identity.
        nearest: Bound from above of its inverse depth.
        area: ``(top, bottom, left, right)``, half open, one pixel wider than its outline.
        solid: What rays are to meet.
    """

    row: int
    nearest: float
    area: tuple[int, int, int, int]
    solid: Target


def line_up(view: View, grid: Grid, *, among: Mask) -> list[Subject]:
    """Return the solids of ``view`` that may be seen, nearest first, ties by row.

    Args:
        view: The solids.
        grid: The picture.
        among: Solids that matter, ``(N,)``.
    """
    bounds, inside = [], among.copy()
    for axis, first in ((grid.y, 2), (grid.x, 0)):
        middle = 0.5 * (axis.size - 1)
        low = np.floor(view.box[:, first] * grid.focal + middle)
        high = np.ceil(view.box[:, first + 1] * grid.focal + middle) + 1.0
        inside &= (low < axis.size) & (high > 0.0)
        bounds += [np.clip(low, 0, axis.size), np.clip(high, 0, axis.size)]
    extent = np.maximum(view.box[:, 1] - view.box[:, 0], view.box[:, 3] - view.box[:, 2])
    inside &= extent > _SMALLEST_PX / grid.focal
    rods = view.stack.shape == Shape.FRUSTUM
    width = 2.0 * view.stack.half[:, 0] * view.nearest
    inside &= ~(rods & (width < _THINNEST_PX / grid.focal))
    order = np.argsort(-view.nearest, kind="stable")
    rows = order[inside[order]]
    areas = np.stack(bounds, axis=1)[rows].astype(np.int64).tolist()
    nearest = view.nearest[rows].tolist()
    found = zip(rows.tolist(), nearest, areas, targets(view, rows), strict=True)
    return [Subject(row, near, tuple(area), solid) for row, near, area, solid in found]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The nearest surface along each ray.

    Attributes:
        w: Inverse depth, float64, 0 where nothing is hit.
        row: The solid, or `NOTHING`, int64.
    """

    w: Array
    row: NDArray[np.int64]


def cast_grid(subjects: Sequence[Subject], grid: Grid) -> Seen:
    """Find the nearest subject at every pixel centre, ``(H, W)``."""
    shape = grid.y.size, grid.x.size
    best, rows = np.zeros(shape), np.full(shape, NOTHING, np.int64)
    for row, nearest, (top, bottom, left, right), solid in subjects:
        kept = best[top:bottom, left:right]
        if kept.min() >= nearest:
            continue
        w, hit = meet(solid, grid.x[:, left:right], grid.y[top:bottom])
        hit &= w > kept
        np.copyto(kept, w, where=hit)
        np.copyto(rows[top:bottom, left:right], row, where=hit)
    return Seen(best, rows)


def cast_points(
    subjects: Sequence[Subject], grid: Grid, pixels: NDArray[np.int64], x: Array, y: Array
) -> Seen:
    """Find the nearest subject along extra rays near chosen pixels.

    Args:
        subjects: The solids to look for, nearest first.
        grid: The picture.
        pixels: Flat indices of the pixels, ascending, ``(n,)``.
        x: Image coordinates of the rays, within one pixel of their pixel's, ``(n, s)``.
        y: The other coordinates, ``(n, s)``.

    Returns:
        What each ray sees, ``(n, s)``.
    """
    line, column = np.divmod(pixels, grid.x.size)
    starts = np.searchsorted(line, np.arange(grid.y.size + 2)).tolist()
    best, rows = np.zeros(x.shape), np.full(x.shape, NOTHING, np.int64)
    for row, nearest, (top, bottom, left, right), solid in subjects:
        first, last = starts[max(top - 1, 0)], starts[bottom + 1]
        near = column[first:last]
        chosen = np.flatnonzero((near >= left - 1) & (near <= right)) + first
        kept = best.take(chosen, axis=0)
        if not chosen.size or kept.min() >= nearest:
            continue
        w, hit = meet(solid, x.take(chosen, axis=0), y.take(chosen, axis=0))
        hit &= w > kept
        best[chosen] = np.where(hit, w, kept)
        rows[chosen] = np.where(hit, row, rows.take(chosen, axis=0))
    return Seen(best, rows)


def cast_shadow(
    subjects: Sequence[Subject], grid: Grid, floor: tuple[float, float, float], seen: Mask
) -> Mask:
    """Return which of the floor's pixels ``seen`` lie in the shadow of a subject, ``(H, W)``.

    Args:
        subjects: Solids through `Pinhole.onto_ground`.
        grid: The picture.
        floor: Coefficients of the floor's inverse depth.
        seen: Pixels that show the floor, ``(H, W)``.
    """
    shadow = np.zeros_like(seen)
    for _, _, (top, bottom, left, right), solid in subjects:
        area = slice(top, bottom), slice(left, right)
        if seen[area].any():
            x, y = grid.x[:, left:right], grid.y[top:bottom]
            w, hit = meet(solid, x, y)
            shadow[area] |= hit & (w > affine(floor, x, y))
    return shadow & seen
