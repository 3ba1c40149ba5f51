"""Points of visible surfaces: where on the solid, which way it faces, how light falls on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.portable import Array, product
from ppvd.data.sources.synthetic.rendering.noise import Floats
from ppvd.data.sources.synthetic.rendering.view import Pinhole, View
from ppvd.data.sources.synthetic.scene import Light, Shape

Triple = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What the painter and the light need to know of ``n`` visible points, float32, ``(n,)`` each.

    Attributes:
        u: Position along the face, metres from its middle.
        v: Position up (or along) the face, metres from its middle.
        half_u: Half the extent of the face along ``u``, metres.
        half_v: Half its extent along ``v``, metres.
        axis: The solid's own axis that the face looks along, int8; 2 for flat faces and tops,
            where ``v`` is not up.
        depth: Planar depth, metres.
        footprint: Extent of a pixel on the surface, metres.
        toward: Cosine between the normal and the light, at least 0.
        distance: Distance to the light, metres.
        up: Upward component of the normal.
        height: World z, metres.
        corner: Distance to the nearest other side of the room, metres; large elsewhere.
    """

    u: Floats
    v: Floats
    half_u: Floats
    half_v: Floats
    axis: NDArray[np.int8]
    depth: Floats
    footprint: Floats
    toward: Floats
    distance: Floats
    up: Floats
    height: Floats
    corner: Floats


class Plans:
    """Per-solid numbers of one view in float32, gathered by row."""

    def __init__(self, view: View, pinhole: Pinhole, light: Light) -> None:
        stack = view.stack
        scaled = stack.axes / stack.half[:, :, None]
        lamp = product(scaled, (np.array(light.position) - stack.centre)[:, :, None])
        columns = [view.origin, view.linear.reshape(-1, 9), stack.half, stack.taper]
        columns += [lamp[:, :, 0], stack.axes[:, :, 2]]
        self.table = np.concatenate(columns, axis=1).T.astype(np.float32, order="C")
        self.shape = stack.shape
        self.pinhole = pinhole

    def gather(self, row: NDArray[np.int64], first: int, last: int) -> list[Floats]:
        """Return columns ``first`` to ``last - 1`` for each point."""
        return [self.table[column].take(row) for column in range(first, last)]


def describe(
    plans: Plans, row: NDArray[np.int64], x: Array, y: Array, w: Array, *, pixel: float
) -> Surface:
    """Describe the points at inverse depth ``w`` on solids ``row`` along rays ``(x, y, 1)``.

    Args:
        plans: Numbers of the view.
        row: Solids, ``(n,)``.
        x: Image coordinates, ``(n,)``.
        y: Image coordinates, ``(n,)``.
        w: Inverse depth, positive, ``(n,)``.
        pixel: Extent of a pixel in image coordinates.
    """
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    depth = (1.0 / w).astype(np.float32)
    ox, oy, oz, *lines = plans.gather(row, 0, 12)
    ray = _rays(lines, x32, y32)
    point = ox + depth * ray[0], oy + depth * ray[1], oz + depth * ray[2]
    half = _triple(plans.gather(row, 12, 15))
    taper = plans.gather(row, 15, 17)
    shape = plans.shape.take(row)
    normal, axis = _normals(shape, point, taper, _triple([ox, oy, oz]))
    metric = normal[0] / half[0], normal[1] / half[1], normal[2] / half[2]
    norm = np.sqrt(_dot(metric, metric))
    lamp = plans.gather(row, 17, 20)
    to_light = lamp[0] - point[0], lamp[1] - point[1], lamp[2] - point[2]
    far = to_light[0] * half[0], to_light[1] * half[1], to_light[2] * half[2]
    distance = np.sqrt(_dot(far, far))
    toward = np.maximum(_dot(normal, to_light) / (norm * distance), 0.0)
    up = _dot(metric, _triple(plans.gather(row, 20, 23))) / norm
    length = np.sqrt(x32 * x32 + y32 * y32 + 1.0)
    slant = np.abs(_dot(normal, ray)) / (norm * length)
    footprint = depth * pixel / (0.25 + 0.75 * slant)
    height = _height(plans.pinhole, x32, y32, depth)
    u, v, half_u, half_v = _unfold(point, half, axis)
    corner = _corner(shape, point, half, axis)
    return Surface(
        u, v, half_u, half_v, axis, depth, footprint, toward, distance, up, height, corner
    )


def _height(pinhole: Pinhole, x: Floats, y: Floats, depth: Floats) -> Floats:
    a, b, c = pinhole.matrix[2].tolist()
    height: Floats = float(pinhole.origin[2]) + depth * (a * x + b * y + c)
    return height


def _triple(parts: list[Floats]) -> Triple:
    return parts[0], parts[1], parts[2]


def _rays(lines: list[Floats], x: Floats, y: Floats) -> Triple:
    first = lines[0] * x + lines[1] * y + lines[2]
    second = lines[3] * x + lines[4] * y + lines[5]
    return first, second, lines[6] * x + lines[7] * y + lines[8]


def _dot(left: Triple, right: Triple) -> Floats:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]


def _normals(
    shape: NDArray[np.int64], point: Triple, taper: list[Floats], origin: Triple
) -> tuple[Triple, NDArray[np.int8]]:
    """Return outward normals as gradients in the solid's own box, and the face each point is on."""
    normal, axis = _box_normals(point, taper)
    inside = shape == Shape.ROOM
    for part in normal:
        np.negative(part, out=part, where=inside)
    for kind, rule in ((Shape.BALL, _ball), (Shape.FRUSTUM, _frustum), (Shape.LATTICE, _lattice)):
        chosen = np.flatnonzero(shape == kind)
        if chosen.size:
            at = _triple([part[chosen] for part in point])
            new, side = rule(at, taper[0][chosen], origin[1][chosen])
            for part, value in zip(normal, new, strict=True):
                part[chosen] = value
            axis[chosen] = side
    ground = shape == Shape.GROUND
    normal[0][ground], normal[1][ground], normal[2][ground] = 0.0, 0.0, 1.0
    axis[ground] = 2
    return normal, axis


def _box_normals(point: Triple, taper: list[Floats]) -> tuple[Triple, NDArray[np.int8]]:
    """Take the side whose plane the point is nearest to."""
    one, two = 1.0, 0.5
    slopes = two * (taper[0] - one), two * (taper[1] - one)
    gaps = [
        np.abs(part) - (two * (top + one) + slope * point[2])
        for part, top, slope in zip(point[:2], taper, slopes, strict=True)
    ]
    gap_z = np.abs(point[2]) - one
    is_x = (gaps[0] >= gaps[1]) & (gaps[0] >= gap_z)
    is_z = ~is_x & (gap_z > gaps[1])
    is_y = ~(is_x | is_z)
    first = np.sign(point[0]) * is_x
    second = np.sign(point[1]) * is_y
    third = np.sign(point[2]) * is_z - slopes[0] * is_x - slopes[1] * is_y
    return (first, second, third), (is_y + np.int8(2) * is_z).astype(np.int8)


def _ball(point: Triple, _taper: Floats, _side: Floats) -> tuple[Triple, NDArray[np.int8]]:
    sizes = [np.abs(part) for part in point]
    axis = np.where(sizes[0] > sizes[1], 0, 1)
    return point, np.where(sizes[2] > np.maximum(sizes[0], sizes[1]), 2, axis).astype(np.int8)


def _frustum(point: Triple, taper: Floats, _side: Floats) -> tuple[Triple, NDArray[np.int8]]:
    mean, slope = (
        0.5 * (taper + 1.0),
        0.5 * (taper - 1.0),
    )
    radius = np.sqrt(point[0] * point[0] + point[1] * point[1])
    flat = np.abs(radius - (mean + slope * point[2])) > np.abs(np.abs(point[2]) - 1.0)
    round_ = ~flat
    third = np.where(flat, np.sign(point[2]), -slope * radius)
    axis = np.where(np.abs(point[0]) > np.abs(point[1]), 0, 1)
    return (point[0] * round_, point[1] * round_, third), np.where(flat, 2, axis).astype(np.int8)


def _lattice(point: Triple, _taper: Floats, side: Floats) -> tuple[Triple, NDArray[np.int8]]:
    zero = np.zeros_like(point[0])
    return (zero, np.sign(side), zero.copy()), np.ones(zero.shape, np.int8)


def _unfold(
    point: Triple, half: Triple, axis: NDArray[np.int8]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Lay the face flat: ``u`` along x or, on an x face, y; ``v`` up or, on a flat one, along y."""
    on_x, flat = axis == 0, axis == 2
    half_u, half_v = np.where(on_x, half[1], half[0]), np.where(flat, half[1], half[2])
    u = np.where(on_x, point[1], point[0]) * half_u
    return u, np.where(flat, point[1], point[2]) * half_v, half_u, half_v


def _corner(
    shape: NDArray[np.int64], point: Triple, half: Triple, axis: NDArray[np.int8]
) -> Floats:
    room = shape == Shape.ROOM
    nearest = np.full(axis.shape, 1e3, np.float32)
    for number, (part, reach) in enumerate(zip(point, half, strict=True)):
        gap = (1.0 - np.abs(part)) * reach
        np.minimum(nearest, gap, out=nearest, where=room & (axis != number))
    distance: Floats = np.maximum(nearest, 0.0)
    return distance
