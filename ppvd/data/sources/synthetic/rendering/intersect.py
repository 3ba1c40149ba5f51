"""Rays against solids, in inverse depth ``w``.

Every function takes a solid and the coordinates ``x`` and ``y`` of rays, either a grid
(``(1, W)`` and ``(H, 1)``) or points (two arrays of one shape), and returns ``w`` with a mask of
the rays that hit; ``w`` means nothing elsewhere. Sums of a row and a column broadcast, so that an
affine function costs one addition a pixel on a grid. An origin inside a solid does not see it,
unless it is a room.
"""

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.portable import Array
from ppvd.data.sources.synthetic.rendering.target import Target, Triple
from ppvd.data.sources.synthetic.scene import Opening, Shape

Mask = NDArray[np.bool_]
Hit = tuple[Array, Mask]

RAIL_AT = 0.62
"""Height of a lattice's rails as a share of its half height (ours)."""
RAIL_HALF = 0.07
"""Half thickness of a rail as a share of the half height (ours)."""


def affine(form: Triple, x: Array, y: Array) -> Array:
    """Return ``form . (x, y, 1)`` of every ray."""
    return (form[0] * x + form[2]) + form[1] * y


def meet(solid: Target, x: Array, y: Array) -> Hit:
    """Return where rays first meet ``solid``."""
    return _MEET[Shape(solid.shape)](solid, x, y)


def meet_box(solid: Target, x: Array, y: Array) -> Hit:
    """Enter a tapered box: at the last of the sides that face us, before any other side is left."""
    ahead = [form for form, faces in zip(solid.sides, solid.facing, strict=True) if faces]
    if not ahead:
        return _miss(x, y)
    others = [form for form, faces in zip(solid.sides, solid.facing, strict=True) if not faces]
    enter = _extreme(np.minimum, ahead, x, y)
    hit = enter > 0.0
    hit &= _extreme(np.maximum, others, x, y) < enter
    return enter, hit


def meet_room(solid: Target, x: Array, y: Array) -> Hit:
    """Leave a box by its first side on the way out, but for its openings."""
    ahead = [form for form, faces in zip(solid.sides, solid.facing, strict=True) if faces]
    others = [form for form, faces in zip(solid.sides, solid.facing, strict=True) if not faces]
    leave = _extreme(np.maximum, others, x, y)
    hit = leave > 0.0
    if ahead:
        hit &= leave < _extreme(np.minimum, ahead, x, y)
    for opening in solid.openings:
        hit &= ~_through(solid, opening, leave, x, y)
    return leave, hit


def meet_ball(solid: Target, x: Array, y: Array) -> Hit:
    """Enter the unit ball: the larger root of ``c w^2 + 2 b w + a = 0``."""
    if solid.quadric <= 0.0:
        return _miss(x, y)
    square, middle = _conic(solid.conic, x, y), affine(solid.middle, x, y)
    w = (np.sqrt(np.maximum(square, 0.0)) - middle) * (1.0 / solid.quadric)
    return w, (square > 0.0) & (w > 0.0)


def meet_frustum(solid: Target, x: Array, y: Array) -> Hit:
    """Enter a capped cone or cylinder: by its side or the cap that faces us.

    The root with ``+`` is the entry both from outside (``c > 0``, the nearer crossing) and from
    within the cone's other half (``c < 0``, the farther one).
    """
    lz, oz, c = solid.linear[2], solid.origin[2], solid.quadric
    w = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    if c != 0.0:
        square, middle = _conic(solid.conic, x, y), affine(solid.middle, x, y)
        side = (np.sqrt(np.maximum(square, 0.0)) - middle) * (1.0 / c)
        within = np.abs(oz * side + affine(lz, x, y)) <= side
        np.copyto(w, side, where=within & (square > 0.0))
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


def _extreme(choose: np.ufunc, forms: list[Triple], x: Array, y: Array) -> Array:
    result = affine(forms[0], x, y)
    for form in forms[1:]:
        choose(result, affine(form, x, y), out=result)
    return result


def _through(solid: Target, opening: Opening, leave: Array, x: Array, y: Array) -> Mask:
    """Return which rays leave a room through ``opening``."""
    along = 1 - opening.face // 2
    passes = affine(solid.sides[opening.face], x, y) == leave
    for axis, low, high in zip((along, 2), opening.low, opening.high, strict=True):
        where = solid.origin[axis] * leave + affine(solid.linear[axis], x, y)
        passes &= (where > low * leave) & (where < high * leave)
    return np.asarray(passes, np.bool_)


def _conic(form: tuple[float, ...], x: Array, y: Array) -> Array:
    xx, yy, xy, x1, y1, one = form
    row = x * (xx * x + 2.0 * x1) + one
    column = y * (yy * y + 2.0 * y1)
    return (row + column) + (2.0 * xy * x) * y


def _cap(solid: Target, x: Array, y: Array) -> Array:
    """Return ``w`` on the flat end we face, 0 outside its rim."""
    (ox, oy, oz), (lx, ly, _) = solid.origin, solid.linear
    side, rim = (4, solid.taper[0]) if oz > 0.0 else (5, 1.0)
    w = affine(solid.sides[side], x, y)
    across, along, reach = ox * w + affine(lx, x, y), oy * w + affine(ly, x, y), rim * w
    inside = (across * across + along * along <= reach * reach) & (w > 0.0)
    return w * inside
