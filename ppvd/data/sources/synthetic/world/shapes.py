"""Short names for solids, and their placement in the world."""

import math
from collections.abc import Iterable
from dataclasses import replace

from ppvd.data.sources.synthetic.portable import Vector, cosine, sine
from ppvd.data.sources.synthetic.scene import Axes, Material, Shape, Solid


def turned(yaw: float) -> Axes:
    """Return upright axes turned to the left by ``yaw`` radians, seen from above."""
    cos, sin = cosine(yaw), sine(yaw)
    return (cos, sin, 0.0), (-sin, cos, 0.0), (0.0, 0.0, 1.0)


def box(
    centre: Vector,
    size: Vector,
    material: Material,
    *,
    taper: tuple[float, float] = (1.0, 1.0),
    casts: bool = True,
) -> Solid:
    """Return an upright box of full ``size`` that narrows to ``taper`` at its top."""
    half = (size[0] / 2.0, size[1] / 2.0, size[2] / 2.0)
    return Solid(Shape.BOX, centre, half, material, taper=taper, casts=casts)


def ball(centre: Vector, radii: Vector, material: Material, *, casts: bool = True) -> Solid:
    """Return an upright ellipsoid."""
    return Solid(Shape.BALL, centre, radii, material, casts=casts)


def rod(
    start: Vector,
    end: Vector,
    radius: float,
    material: Material,
    *,
    end_radius: float | None = None,
    casts: bool = True,
) -> Solid:
    """Return a round bar from ``start`` to ``end``; the thicker end gives the frustum its foot."""
    last = radius if end_radius is None else end_radius
    if last > radius:
        start, end, radius, last = end, start, last, radius
    along = (end[0] - start[0], end[1] - start[1], end[2] - start[2])
    length = math.sqrt(_dot(along, along))
    centre = tuple(0.5 * (a + b) for a, b in zip(start, end, strict=True))
    return Solid(
        Shape.FRUSTUM,
        (centre[0], centre[1], centre[2]),
        (radius, radius, length / 2.0),
        material,
        axes=_around((along[0] / length, along[1] / length, along[2] / length)),
        taper=(last / radius, last / radius),
        casts=casts,
    )


def lattice(
    centre: Vector, size: tuple[float, float], material: Material, *, period_m: float, fill: float
) -> Solid:
    """Return a thin upright fence of full ``size`` (along x, up) with pickets and two rails."""
    half = (size[0] / 2.0, 0.01, size[1] / 2.0)
    return Solid(Shape.LATTICE, centre, half, material, taper=(period_m, fill))


def placed(solids: Iterable[Solid], *, at: Vector, yaw: float = 0.0) -> list[Solid]:
    """Turn ``solids`` to the left by ``yaw`` about their origin, then move them to ``at``."""
    cos, sin = cosine(yaw), sine(yaw)

    def turn(v: Vector) -> Vector:
        return v[0] * cos - v[1] * sin, v[0] * sin + v[1] * cos, v[2]

    moved = []
    for solid in solids:
        x, y, z = turn(solid.centre)
        first, second, third = solid.axes
        axes = turn(first), turn(second), turn(third)
        moved.append(replace(solid, centre=(x + at[0], y + at[1], z + at[2]), axes=axes))
    return moved


def _around(third: Vector) -> Axes:
    """Return right-handed axes whose last is ``third``."""
    helper = (0.0, 1.0, 0.0) if abs(third[1]) < 0.9 else (1.0, 0.0, 0.0)
    first = _cross(helper, third)
    length = math.sqrt(_dot(first, first))
    first = (first[0] / length, first[1] / length, first[2] / length)
    return first, _cross(third, first), third


def _dot(left: Vector, right: Vector) -> float:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]


def _cross(left: Vector, right: Vector) -> Vector:
    return (
        left[1] * right[2] - left[2] * right[1],
        left[2] * right[0] - left[0] * right[2],
        left[0] * right[1] - left[1] * right[0],
    )
