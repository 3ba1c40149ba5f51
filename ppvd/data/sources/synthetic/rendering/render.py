"""From a scene to a frame: depth at pixel centres, anti-aliased colour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.portable import TAU, Array, cosine, sine
from ppvd.data.sources.synthetic.rendering.intersect import affine
from ppvd.data.sources.synthetic.rendering.lighting import blurred, dome_light, exposed, key_light
from ppvd.data.sources.synthetic.rendering.noise import Floats
from ppvd.data.sources.synthetic.rendering.paint import Paints
from ppvd.data.sources.synthetic.rendering.raycast import (
    NOTHING,
    Grid,
    Seen,
    cast_grid,
    cast_points,
    cast_shadow,
    line_up,
)
from ppvd.data.sources.synthetic.rendering.sky import hazed, sky_colours
from ppvd.data.sources.synthetic.rendering.surface import Plans, Surface, describe
from ppvd.data.sources.synthetic.rendering.view import Pinhole, Stack, View
from ppvd.data.sources.synthetic.scene import Camera, Scene

FAR_M = 600.0
"""Ground farther than this is neither valid nor sky (ours)."""

_OUTLINE = 0.04
"""Difference of colour, of 1, from which neighbours on two faces get extra rays (ours)."""

_ON_FLOOR = 1.005
"""Nearness to the floor, as a ratio of inverse depths, that still receives its shadows (ours)."""

_DOWN = (slice(1, None), slice(None)), (slice(None, -1), slice(None))
_ACROSS = (slice(None), slice(1, None)), (slice(None), slice(None, -1))

_CHUNK = 8192
"""Points shaded at a time."""

Rows = NDArray[np.int64]

_EXTRA = ((-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375))
"""Extra rays of an edge pixel: a rotated square, in pixels from the centre."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What rendering gives.

    Attributes:
        image: sRGB, uint8, ``(H, W, 3)``.
        depth: Planar depth at pixel centres, metres, float32, ``(H, W)``; 0 where not ``valid``.
        valid: bool, ``(H, W)``.
        sky: bool, ``(H, W)``.
        intrinsics: float64, ``(3, 3)``.
        pose: Camera to world, OpenCV axes, float64, ``(4, 4)``.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    valid: NDArray[np.bool_]
    sky: NDArray[np.bool_]
    intrinsics: Array
    pose: Array


def focal_length(camera: Camera, height: int, width: int) -> float:
    """Return the focal length in pixels that spans ``camera.view_deg`` over the diagonal."""
    half = camera.view_deg * TAU / 720.0
    return 0.5 * float(np.sqrt(height * height + width * width)) * cosine(half) / sine(half)


def render(scene: Scene, height: int, width: int) -> Picture:
    """Render ``scene`` as its camera sees it."""
    stage = _Stage(scene, Grid.of(height, width, focal_length(scene.camera, height, width)))
    seen = cast_grid(stage.subjects, stage.grid)
    shade = stage.shadows(seen)
    x, y = (np.broadcast_to(a, seen.w.shape).ravel() for a in (stage.grid.x, stage.grid.y))
    linear, face = stage.colours(seen.row.ravel(), x, y, seen.w.ravel(), shade.ravel())
    stage.soften_edges(linear, seen.row, face, shade.ravel(), x, y)
    return Picture(
        image=_encode(linear, height, width),
        depth=_depth(seen.w),
        valid=seen.w > 1.0 / FAR_M,
        sky=seen.row == NOTHING,
        intrinsics=stage.grid.intrinsics(),
        pose=stage.pinhole.pose(),
    )


class _Stage:
    """What the passes over one scene share."""

    def __init__(self, scene: Scene, grid: Grid) -> None:
        stack = Stack.of(scene.solids)
        self.grid = grid
        self.pinhole = Pinhole.of_camera(scene.camera)
        self.view = View.of(stack, self.pinhole)
        self.subjects = line_up(self.view, grid, among=np.ones(len(stack.shape), np.bool_))
        self._scene = scene
        self._plans = Plans(self.view, self.pinhole, scene.light)
        self._paints = Paints([solid.material for solid in scene.solids])

    def shadows(self, seen: Seen) -> Floats:
        """Return how much of the light each floor pixel lacks, 0 to 1, ``(H, W)``."""
        lamp, floor = self.pinhole.onto_ground(self._scene.light)
        grid = self.grid
        receives = (seen.w > 0.0) & (seen.w <= _ON_FLOOR * affine(floor, grid.x, grid.y))
        lit_from = View.of(self.view.stack, lamp)
        casters = line_up(lit_from, grid, among=self.view.stack.casts)
        shadow = cast_shadow(casters, grid, floor, receives)
        return blurred(shadow, receives, times=1 + min(receives.shape) // 128)

    def colours(
        self, row: Rows, x: Array, y: Array, w: Array, shade: Floats
    ) -> tuple[Floats, Rows]:
        """Return linear RGB in [0, 1] along rays ``(x, y, 1)``, ``(3, n)``, and the faces seen.

        Works in chunks whose intermediate results stay in a core's cache.
        """
        linear, face = np.empty((3, row.size), np.float32), np.empty(row.size, np.int64)
        for start in range(0, row.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            rays = row[part], x[part], y[part], w[part], shade[part]
            self._fill(linear[:, part], face[part], *rays)
        return np.clip(linear, 0.0, 1.0, out=linear), face

    def _fill(
        self, linear: Floats, face: Rows, row: Rows, x: Array, y: Array, w: Array, shade: Floats
    ) -> None:
        """Write the colours and faces of one chunk."""
        hit = row != NOTHING
        if not hit.all():
            sky = sky_colours(self._scene.sky, self.pinhole, x[~hit], y[~hit])
            face[~hit] = NOTHING
            for channel, value in zip(linear, sky, strict=True):
                channel[~hit] = value
        if hit.any():
            row, x, y, w, shade = (values[hit] for values in (row, x, y, w, shade))
            surface = describe(self._plans, row, x, y, w, pixel=1.0 / self.grid.focal)
            for channel, value in zip(linear, self._lit(row, surface, shade), strict=True):
                channel[hit] = value
            face[hit] = row * 4 + surface.axis

    def soften_edges(
        self, linear: Floats, row: Rows, face: Rows, shade: Floats, x: Array, y: Array
    ) -> None:
        """Average `_EXTRA` rays into the pixels of ``linear`` beside another face."""
        shape = row.shape
        pixels = np.flatnonzero(_edges(np.sqrt(linear).reshape(3, *shape), face.reshape(shape)))
        if not pixels.size:
            return
        offsets = np.array(_EXTRA) / self.grid.focal
        fine_x = x[pixels, None] + offsets[None, :, 0]
        fine_y = y[pixels, None] + offsets[None, :, 1]
        present = set(np.unique(row).tolist())
        subjects = [subject for subject in self.subjects if subject.row in present]
        seen = cast_points(subjects, self.grid, pixels, fine_x, fine_y)
        shade_there = np.repeat(shade[pixels], len(_EXTRA))
        rays = seen.row.ravel(), fine_x.ravel(), fine_y.ravel(), seen.w.ravel(), shade_there
        fine = self.colours(*rays)[0].reshape(3, pixels.size, len(_EXTRA))
        total = linear[:, pixels]
        for extra in range(len(_EXTRA)):
            total = total + fine[:, :, extra]
        linear[:, pixels] = total * (1.0 / (1 + len(_EXTRA)))

    def _lit(self, row: Rows, surface: Surface, shade: Floats) -> list[Floats]:
        """Return the linear light that comes from ``surface``, haze included."""
        paint = self._paints.colours(row, surface)
        glow, light = self._paints.glow(row), self._scene.light
        key = key_light(surface, light) * (1.0 - light.shadow * shade)
        dome = dome_light(surface, light.bounce)
        linear = [
            exposed(part * part * (sun * key + sky * dome + glow))
            for part, sun, sky in zip(paint, light.colour, light.ambient, strict=True)
        ]
        return hazed(linear, surface.depth, self._scene.sky)


def _edges(coded: Floats, face: Rows) -> NDArray[np.bool_]:
    """Return pixels beside another face of another colour, ``(H, W)``."""
    edges = np.zeros(face.shape, np.bool_)
    for first, last in (_DOWN, _ACROSS):
        differs = np.zeros(face[first].shape, np.bool_)
        for channel in coded:
            differs |= np.abs(channel[first] - channel[last]) > _OUTLINE
        differs &= face[first] != face[last]
        edges[first] |= differs
        edges[last] |= differs
    return edges


def _encode(linear: Floats, height: int, width: int) -> NDArray[np.uint8]:
    """Encode with gamma 2, whose root is exact everywhere; sRGB's own curve needs a power."""
    codes = np.floor(np.sqrt(linear) * 255.0 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(codes.reshape(3, height, width).transpose(1, 2, 0))


def _depth(w: Array) -> NDArray[np.float32]:
    valid = w > 1.0 / FAR_M
    return np.where(valid, 1.0 / np.where(valid, w, 1.0), 0.0).astype(np.float32)
