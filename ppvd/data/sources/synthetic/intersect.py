"""Rays against solids, in inverse depth ``w``.

Every function takes a solid and the coordinates ``x`` and ``y`` of rays, either a grid (``(1, W)``
and ``(H, 1)``) or points (two arrays of one shape), and returns ``w`` with a mask of the rays that hit;
``w`` means nothing elsewhere. Sums of a row and a column broadcast, so that an affine function costs
one addition a pixel on a grid. An origin inside a solid does not see it, except a room.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.portable import Array
from ppvd.data.sources.synthetic.scene import Opening, Shape
from ppvd.data.sources.synthetic.view import View

Mask = NDArray[np.bool_]
Hit = tuple[Array, Mask]
Triple = tuple[float, float, float]

RAIL_AT = 0.62
"""Height of a lattice's rails as a share of its half height (ours)."""
RAIL_HALF = 0.07
"""Half thickness of a rail as a share of the half height (ours)."""


class Target(NamedTuple):
    """One solid as plain numbers, with the rays in its own box.

    Attributes:
        shape: Which solid.
        origin: Origin of the rays.
        linear: Rows give the three components of the direction from ``(x, y, 1)``.
        half: Half extents, metres.
        taper: See `Shape`.
        openings: Holes of a room.
    """

    shape: int
    origin: Triple
    linear: tuple[Triple, Triple, Triple]
    half: Triple
    taper: tuple[float, float]
    openings: tuple[Opening, ...]


def target(view: View, row: int) -> Target:
    """Return solid ``row`` of ``view``."""
    stack = view.stack
    first, second, third = view.linear[row].tolist()
    return Target(
        int(stack.shape[row]),
        tuple(view.origin[row].tolist()),
        (tuple(first), tuple(second), tuple(third)),
        tuple(stack.half[row].tolist()),
        tuple(stack.taper[row].tolist()),
        stack.openings[row],
    )


def affine(form: Triple, x: Array, y: Array) -> Array:
    """Return ``form . (x, y, 1)`` of every ray."""
    return (form[0] * x + form[2]) + form[1] * y


def meet(solid: Target, x: Array, y: Array) -> Hit:
    """Return where rays first meet ``solid``."""
    return _MEET[Shape(solid.shape)](solid, x, y)


def meet_box(solid: Target, x: Array, y: Array) -> Hit:
    """Enter a tapered box: at the last of the sides that face us, before any other side is left."""
    forms, facing = _sides(solid)
    if True not in facing:
        return _miss(x, y)
    enter = _extreme(np.minimum, [f for f, faces in zip(forms, facing, strict=True) if faces], x, y)
    hit = enter > 0.0
    others = [f for f, faces in zip(forms, facing, strict=True) if not faces]
    if others:
        hit &= _extreme(np.maximum, others, x, y) < enter
    return enter, hit


def meet_room(solid: Target, x: Array, y: Array) -> Hit:
    """Leave a box by its first side on the way out, but for its openings."""
    forms, facing = _sides(solid)
    leave = _extreme(
        np.maximum, [f for f, faces in zip(forms, facing, strict=True) if not faces], x, y
    )
    hit = leave > 0.0
    if True in facing:
        ahead = [f for f, faces in zip(forms, facing, strict=True) if faces]
        hit &= leave < _extreme(np.minimum, ahead, x, y)
    for opening in solid.openings:
        hit &= ~_through(solid, opening, forms[opening.face], leave, x, y)
    return leave, hit


def meet_ball(solid: Target, x: Array, y: Array) -> Hit:
    """Enter the unit ball: ``c w^2 + 2 b w + a = 0`` with ``a = d.d, b = o.d, c = o.o - 1``."""
    (ox, oy, oz), (lx, ly, lz) = solid.origin, solid.linear
    c = ox * ox + oy * oy + oz * oz - 1.0
    if c <= 0.0:
        return _miss(x, y)
    b = _combine((ox, oy, oz), (lx, ly, lz))
    square = _discriminant(b, c, ((1.0, lx), (1.0, ly), (1.0, lz)), x, y)
    w = (np.sqrt(np.maximum(square, 0.0)) - affine(b, x, y)) * (1.0 / c)
    return w, (square > 0.0) & (w > 0.0)


def meet_frustum(solid: Target, x: Array, y: Array) -> Hit:
    """Enter a capped cone or cylinder: the nearest of its side (either root) and the cap we face."""
    (ox, oy, oz), (lx, ly, lz) = solid.origin, solid.linear
    mean, slope = 0.5 * (1.0 + solid.taper[0]), 0.5 * (solid.taper[0] - 1.0)
    radius, growth = mean + slope * oz, (slope * lz[0], slope * lz[1], slope * lz[2])
    c = ox * ox + oy * oy - radius * radius
    if c <= 0.0 and abs(oz) <= 1.0:
        return _miss(x, y)
    w = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    if c != 0.0:
        b = _combine((ox, oy, -radius), (lx, ly, growth))
        square = _discriminant(b, c, ((1.0, lx), (1.0, ly), (-1.0, growth)), x, y)
        root, middle, up = np.sqrt(np.maximum(square, 0.0)), affine(b, x, y), affine(lz, x, y)
        for side in (root, -root) if slope else (root,):
            met = (side - middle) * (1.0 / c)
            met *= (square > 0.0) & (np.abs(oz * met + up) <= met)
            np.maximum(w, met, out=w)
    if abs(oz) > 1.0:
        np.maximum(w, _cap(solid, x, y), out=w)
    return w, w > 0.0


def meet_lattice(solid: Target, x: Array, y: Array) -> Hit:
    """Meet the plane y = 0 on a picket or a rail."""
    (ox, oy, oz), (lx, ly, lz) = solid.origin, solid.linear
    if oy == 0.0:
        return _miss(x, y)
    w = affine((-ly[0] / oy, -ly[1] / oy, -ly[2] / oy), x, y)
    across, up = ox * w + affine(lx, x, y), oz * w + affine(lz, x, y)
    hit = (np.abs(across) <= w) & (np.abs(up) <= w) & (w > 0.0)
    period, fill = solid.taper
    along = across * (solid.half[0] / period) / np.where(hit, w, 1.0)
    picket = along - np.floor(along) < fill
    rail = np.abs(np.abs(up) - RAIL_AT * w) < RAIL_HALF * w
    return w, hit & (picket | rail)


def meet_ground(solid: Target, x: Array, y: Array) -> Hit:
    """Meet the plane z = 0 from above."""
    lz, height = solid.linear[2], solid.origin[2]
    if height <= 0.0:
        return _miss(x, y)
    w = affine((-lz[0] / height, -lz[1] / height, -lz[2] / height), x, y)
    return w, w > 0.0


_MEET = {
    Shape.BOX: meet_box,
    Shape.ROOM: meet_room,
    Shape.BALL: meet_ball,
    Shape.FRUSTUM: meet_frustum,
    Shape.LATTICE: meet_lattice,
    Shape.GROUND: meet_ground,
}


def _miss(x: Array, y: Array) -> Hit:
    shape = np.broadcast_shapes(x.shape, y.shape)
    return np.zeros(shape), np.zeros(shape, np.bool_)


def _sides(solid: Target) -> tuple[list[Triple], list[bool]]:
    """Return the inverse depth of the six sides, and which of them face the origin.

    A ray meets the plane ``n . p = h``, outward normal ``n``, at ``w = -(n . d) / (n . o - h)``.
    Order: x = 1, x = -1, y = 1, y = -1, z = 1, z = -1.
    """
    (oz, lz), forms, facing = (solid.origin[2], solid.linear[2]), [], []
    for o, line, top in zip(solid.origin, solid.linear, (*solid.taper, None), strict=True):
        slope, reach = (0.0, 1.0) if top is None else (0.5 * (top - 1.0), 0.5 * (top + 1.0))
        for sign in (1.0, -1.0):
            offset = (sign * o - reach - slope * oz) or -1e-300
            a, b, c = ((slope * q - sign * p) / offset for p, q in zip(line, lz, strict=True))
            forms.append((a, b, c))
            facing.append(offset > 0.0)
    return forms, facing


def _extreme(choose: np.ufunc, forms: list[Triple], x: Array, y: Array) -> Array:
    result = affine(forms[0], x, y)
    for form in forms[1:]:
        choose(result, affine(form, x, y), out=result)
    return result


def _through(
    solid: Target, opening: Opening, form: Triple, leave: Array, x: Array, y: Array
) -> Mask:
    """Return which rays leave a room through ``opening`` in the side ``form``."""
    along = 1 - opening.face // 2
    passes = affine(form, x, y) == leave
    for axis, low, high in zip((along, 2), opening.low, opening.high, strict=True):
        where = solid.origin[axis] * leave + affine(solid.linear[axis], x, y)
        passes &= (where > low * leave) & (where < high * leave)
    return passes


def _combine(weights: Triple, lines: tuple[Triple, Triple, Triple]) -> Triple:
    a, b, c = (
        weights[0] * p + weights[1] * q + weights[2] * r for p, q, r in zip(*lines, strict=True)
    )
    return a, b, c


def _discriminant(
    b: Triple, c: float, squares: tuple[tuple[float, Triple], ...], x: Array, y: Array
) -> Array:
    """Return ``b^2 - a c`` with ``a = sum(sign * line^2)``: a conic in the pixel."""

    def entry(i: int, j: int) -> float:
        total = 0.0
        for sign, line in squares:
            total += sign * line[i] * line[j]
        return b[i] * b[j] - c * total

    row = x * (entry(0, 0) * x + 2.0 * entry(0, 2)) + entry(2, 2)
    column = y * (entry(1, 1) * y + 2.0 * entry(1, 2))
    return (row + column) + (2.0 * entry(0, 1) * x) * y


def _cap(solid: Target, x: Array, y: Array) -> Array:
    """Return ``w`` on the flat end we face, 0 outside its rim."""
    (ox, oy, oz), (lx, ly, lz) = solid.origin, solid.linear
    sign, rim = (1.0, solid.taper[0]) if oz > 0.0 else (-1.0, 1.0)
    offset = sign * oz - 1.0
    w = affine((-sign * lz[0] / offset, -sign * lz[1] / offset, -sign * lz[2] / offset), x, y)
    across, along, reach = ox * w + affine(lx, x, y), oy * w + affine(ly, x, y), rim * w
    inside = (across * across + along * along <= reach * reach) & (w > 0.0)
    return w * inside
