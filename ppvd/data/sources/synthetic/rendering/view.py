"""Solids as a pinhole sees them: who is in the picture, where, and in which order.

A pinhole has an origin and a matrix that turns the homogeneous pixel ``(x, y, 1)`` into a direction
of the world. With the third component fixed to one, the parameter along the ray *is* the planar
depth z. All passes work with its inverse ``w = 1 / z``: the inverse depth of a plane is affine in
the pixel, the nearest surface has the largest ``w``, and the sky has ``w = 0``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.portable import Array, cosine, inverse, product, sine
from ppvd.data.sources.synthetic.scene import Camera, Light, Opening, Shape, Solid

NEAR_M = 0.05
"""What is nearer to the image plane than this is cut when its outline is projected (ours)."""

_CORNERS = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
_EDGES = np.array([(i, i | bit) for bit in (1, 2, 4) for i in range(8) if not i & bit])


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The solids of a scene as arrays, one row each.

    Attributes:
        centre: ``(N, 3)``, metres.
        axes: Rows are the solid's own axes in the world, ``(N, 3, 3)``.
        half: ``(N, 3)``, metres.
        taper: ``(N, 2)``.
        shape: ``(N,)`` of `Shape`.
        openings: One tuple a solid.
        casts: ``(N,)`` bool.
    """

    centre: Array
    axes: Array
    half: Array
    taper: Array
    shape: NDArray[np.int64]
    openings: tuple[tuple[Opening, ...], ...]
    casts: NDArray[np.bool_]

    @classmethod
    def of(cls, solids: Sequence[Solid]) -> "Stack":
        """Collect ``solids`` in their order; the row is the solid's identity from here on."""
        return cls(
            centre=np.array([solid.centre for solid in solids]),
            axes=np.array([solid.axes for solid in solids]),
            half=np.array([solid.half for solid in solids]),
            taper=np.array([solid.taper for solid in solids]),
            shape=np.array([solid.shape for solid in solids], dtype=np.int64),
            openings=tuple(solid.openings for solid in solids),
            casts=np.array([solid.casts for solid in solids]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pinhole:
    """Rays from ``origin`` in the directions ``matrix @ (x, y, 1)``.

    Attributes:
        origin: World, metres, ``(3,)``.
        matrix: ``(3, 3)``.
        backward: Its inverse.
    """

    origin: Array
    matrix: Array
    backward: Array

    @classmethod
    def of_camera(cls, camera: Camera) -> "Pinhole":
        """Return the pinhole of ``camera``: x right, y down, z forward, an orthonormal matrix."""
        (cy, sy), (cp, sp) = _turn(camera.yaw), _turn(camera.pitch)
        cr, sr = _turn(camera.roll)
        level = np.array([[cy, -sy * sp, -sy * cp], [sy, cy * sp, cy * cp], [0.0, -cp, sp]])
        roll = np.array([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
        matrix = product(level, roll)
        return cls(np.array(camera.position), matrix, matrix.T.copy())

    def pose(self) -> Array:
        """Return the camera-to-world matrix, ``(4, 4)``."""
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = self.matrix, self.origin
        return pose

    def onto_ground(self, light: Light) -> tuple["Pinhole", tuple[float, float, float]]:
        """Return the pinhole at ``light`` whose pixels are the floor points this pinhole sees.

        The floor point of pixel ``(x, y)`` is ``origin + matrix @ (x, y, 1) / w`` with an affine
        ``w``; its offset from the light, times ``w``, is linear in ``(x, y, 1)`` again. A shadow
        on the floor is thus a second picture, and a solid shades the pixel where it is met
        before the floor, that is with a larger ``w``.

        Returns:
            The second pinhole, and the coefficients of the floor's inverse depth ``w``.
        """
        floor = -self.matrix[2] / self.origin[2]
        lamp = np.array(light.position)
        matrix = self.matrix + (self.origin - lamp)[:, None] * floor[None, :]
        return Pinhole(lamp, matrix, inverse(matrix)), tuple(floor.tolist())


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A stack of solids in the coordinates of one pinhole.

    Attributes:
        stack: The solids.
        origin: Origin of the rays in each solid's own box, ``(N, 3)``.
        linear: Directions in each solid's own box from ``(x, y, 1)``, ``(N, 3, 3)``.
        box: Image bounds ``(x_low, x_high, y_low, y_high)`` of each solid, ``(N, 4)``;
            empty (low above high) where nothing of it lies in front.
        nearest: Bound from above of ``w`` over each solid, ``(N,)``.
    """

    stack: Stack
    origin: Array
    linear: Array
    box: Array
    nearest: Array

    @classmethod
    def of(cls, stack: Stack, pinhole: Pinhole) -> "View":
        """Look at ``stack`` through ``pinhole``."""
        scaled = stack.axes / stack.half[:, :, None]
        origin = product(scaled, (pinhole.origin - stack.centre)[:, :, None])[:, :, 0]
        linear = product(scaled, pinhole.matrix[None])
        box, nearest = _bounds(stack, pinhole)
        return cls(stack, origin, linear, box, nearest)


def _turn(angle: float) -> tuple[float, float]:
    return cosine(angle), sine(angle)


def _bounds(stack: Stack, pinhole: Pinhole) -> tuple[Array, Array]:
    """Project the corners of each solid's box, cut at `NEAR_M`."""
    reach = stack.half.copy()
    wide = np.maximum(stack.taper.max(axis=1), 1.0)
    tapered = stack.shape != Shape.LATTICE
    reach[:, :2] *= np.where(tapered, wide, 1.0)[:, None]
    corners = _CORNERS[None] * reach[:, None, :]
    offset = (stack.centre - pinhole.origin)[:, None, :]
    world = product(corners, stack.axes) + offset
    points = product(world, pinhole.backward.T[None])
    points = np.concatenate([points, _crossings(points)], axis=1)
    front = points[:, :, 2] >= NEAR_M
    depth = np.where(front, points[:, :, 2], 1.0)
    flat = points[:, :, :2] / depth[:, :, None]
    low = np.where(front[:, :, None], flat, np.inf).min(axis=1)
    high = np.where(front[:, :, None], flat, -np.inf).max(axis=1)
    nearest = 1.0 / np.where(front, depth, np.inf).min(axis=1)
    box = np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1)
    endless = stack.shape == Shape.GROUND
    box[endless] = (-np.inf, np.inf, -np.inf, np.inf)
    nearest[endless] = np.inf
    return box, nearest


def _crossings(points: Array) -> Array:
    """Return where the twelve edges cross the near plane; the edge's start where they do not."""
    start, end = points[:, _EDGES[:, 0]], points[:, _EDGES[:, 1]]
    first, last = start[:, :, 2:], end[:, :, 2:]
    crosses = (first < NEAR_M) != (last < NEAR_M)
    share = np.where(crosses, (NEAR_M - first) / np.where(crosses, last - first, 1.0), 0.0)
    cut = start + share * (end - start)
    cut[:, :, 2] = np.where(crosses[:, :, 0], NEAR_M, cut[:, :, 2])
    return cut
