"""Solids as plain numbers in the coordinates of rays: all that meeting them needs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.portable import Array
from ppvd.data.sources.synthetic.rendering.view import View
from ppvd.data.sources.synthetic.scene import Opening, Shape

Triple = tuple[float, float, float]

_HAIR = 1e-30
"""Stands for a distance of zero to a side, to divide by."""


class Target(NamedTuple):
    """One solid as plain numbers, with the rays in its own box.

    Attributes:
        shape: Which solid.
        origin: Origin of the rays.
        linear: Rows give the three components of the direction from ``(x, y, 1)``.
        half: Half extents, metres.
        taper: See `Shape`.
        sides: Inverse depth of the sides x = 1, x = -1, y = 1, y = -1, z = 1, z = -1.
        facing: Whether each side faces the origin.
        quadric: ``c`` of ``c w^2 + 2 b w + a = 0``, the round surface of a ball or frustum.
        middle: ``b``, affine in the pixel.
        conic: ``b^2 - a c``, with factors of ``x^2, y^2, 2 x y, 2 x, 2 y, 1``.
        openings: Holes of a room.
    """

    shape: int
    origin: Triple
    linear: tuple[Triple, Triple, Triple]
    half: Triple
    taper: tuple[float, float]
    sides: list[Triple]
    facing: list[bool]
    quadric: float
    middle: Triple
    conic: tuple[float, float, float, float, float, float]
    openings: tuple[Opening, ...]


def targets(view: View, rows: NDArray[np.int64]) -> list[Target]:
    """Return the solids ``rows`` of ``view``, in that order."""
    shape, taper = view.stack.shape[rows], view.stack.taper[rows]
    origin, linear = view.origin[rows], view.linear[rows]
    sides, offsets = _sides(origin, linear, taper)
    quadrics = _quadrics(origin, linear, taper[:, 0], shape == Shape.BALL)
    columns = (shape, origin, linear, view.stack.half[rows], taper, sides, offsets > 0.0, *quadrics)
    plain = zip(*(column.tolist() for column in columns), strict=True)
    openings = view.stack.openings
    return [
        Target._make((*line, openings[row])) for row, line in zip(rows.tolist(), plain, strict=True)
    ]


def _sides(origin: Array, linear: Array, taper: Array) -> tuple[Array, Array]:
    """Return the inverse depth of the sides, ``(N, 6, 3)``, and how far beyond them we are.

    A ray meets the plane ``n . p = h``, outward normal ``n``, at ``w = -(n . d) / (n . o - h)``.
    """
    top = np.ones((len(origin), 3))
    top[:, :2] = taper
    slope, reach = 0.5 * (top - 1.0), 0.5 * (top + 1.0)
    lean = slope[:, :, None] * linear[:, 2:3, :]
    forms, offsets = [], []
    for sign in (1.0, -1.0):
        offset = sign * origin - reach - slope * origin[:, 2:3]
        offset[offset == 0.0] = -_HAIR
        forms.append((lean - sign * linear) / offset[:, :, None])
        offsets.append(offset)
    return np.stack(forms, axis=2).reshape(-1, 6, 3), np.stack(offsets, axis=2).reshape(-1, 6)


def _quadrics(
    origin: Array, linear: Array, top: Array, is_ball: NDArray[np.bool_]
) -> tuple[Array, Array, Array]:
    """Return ``c``, ``b`` and ``b^2 - a c`` of ``x^2 + y^2 +- r^2 = k``.

    A ball has ``+z^2`` and ``k = 1``; a frustum ``-r^2`` with ``r`` affine in z, and ``k = 0``.
    """
    sign = np.where(is_ball, 1.0, -1.0)
    slope = np.where(is_ball, 1.0, 0.5 * (top - 1.0))
    third = np.where(is_ball, 0.0, 0.5 * (top + 1.0)) + slope * origin[:, 2]
    origin = np.stack([origin[:, 0], origin[:, 1], third], axis=1)
    linear = np.stack([linear[:, 0], linear[:, 1], slope[:, None] * linear[:, 2]], axis=1)
    signs = np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=1)
    weighted = signs * origin
    c = _sum3(weighted * origin) - is_ball
    b = _sum3((weighted[:, :, None] * linear).transpose(0, 2, 1))
    squares = []
    for i, j in ((0, 0), (1, 1), (0, 1), (0, 2), (1, 2), (2, 2)):
        a = _sum3(signs * linear[:, :, i] * linear[:, :, j])
        squares.append(b[:, i] * b[:, j] - c * a)
    return c, b, np.stack(squares, axis=1)


def _sum3(values: Array) -> Array:
    """Add the three entries of the last axis in a fixed order."""
    total: Array = values[..., 0] + values[..., 1] + values[..., 2]
    return total
