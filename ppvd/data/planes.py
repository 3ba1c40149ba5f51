"""Whether a depth map holds planar z or the length of the ray, told by the planes in it.

On a flat surface ``1 / z`` is an affine function of the pixel: that is what being a plane means for
a pinhole camera. If a map holds the length of the ray ``d = z |r|`` instead, with ``r`` the ray of
depth 1, then ``|r| / d`` is the affine one. Segments of rows and columns that lie on walls and
floors decide which (ours).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Segments are a half to an eighth of the shorter side long, neighbours half of that apart.
SHARES = (2, 3, 4, 6, 8)
# Every so-manieth row and column is looked at, each segment at so many points.
SPACING, POINTS = 8, 12
# Root mean square of the relative residual below which a segment is straight: four times the
# rounding of float16, and above that of millimetres at 1 m.
FLAT = 2e-3
# The other reading must fit so many times worse for a segment to have a say.
CLEARLY = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneVotes:
    """How many segments are straight under one reading of the map and clearly not under the other.

    Attributes:
        planar: Segments that are straight if the map holds z.
        distance: Segments that are straight if the map holds the length of the ray.
    """

    planar: int = 0
    distance: int = 0

    def __add__(self, other: "PlaneVotes") -> "PlaneVotes":
        return PlaneVotes(
            planar=self.planar + other.planar, distance=self.distance + other.distance
        )


def plane_votes(
    depth: NDArray[np.float32], valid: NDArray[np.bool_], intrinsics: NDArray[np.float64]
) -> PlaneVotes:
    """Return what the flat surfaces of a map say it holds.

    Only segments whose every looked-at pixel is valid count, so that sparse maps say nothing.

    Args:
        depth: What is to be told, metres, ``(H, W)``.
        valid: Where ``depth`` is a measurement, ``(H, W)``.
        intrinsics: Pinhole matrix, pixels, ``(3, 3)``.
    """
    rays = _ray_lengths(depth.shape, intrinsics)
    votes = PlaneVotes()
    for *places, steps in _segments(depth.shape):
        whole = np.flatnonzero(valid[places[0], places[1]].all(axis=1))
        rows, columns = (place[whole] for place in places)
        nearness = 1 / depth[rows, columns].astype(np.float64)
        planar = _residual(nearness, steps)
        distance = _residual(nearness * rays[rows, columns], steps)
        flat = np.minimum(planar, distance) < FLAT
        votes += PlaneVotes(
            planar=int(np.sum(flat & (CLEARLY * planar < distance))),
            distance=int(np.sum(flat & (CLEARLY * distance < planar))),
        )
    return votes


def _ray_lengths(size: tuple[int, ...], intrinsics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the length of each pixel's ray of depth 1, ``(H, W)``."""
    (fx, fy), (cx, cy) = intrinsics.diagonal()[:2], intrinsics[:2, 2]
    rows, columns = np.ogrid[: size[0], : size[1]]
    lengths: NDArray[np.float64] = np.sqrt(1 + ((columns - cx) / fx) ** 2 + ((rows - cy) / fy) ** 2)
    return lengths


def _segments(size: tuple[int, ...]) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """Yield, for each length and direction, what to look at, and how far the points are apart.

    Rows and columns are ``(segments, POINTS)``; the steps from each segment's start ``(POINTS,)``.
    """
    for share in SHARES:
        length = min(size) // share
        if length < POINTS:
            return
        steps = np.linspace(0, length - 1, POINTS).astype(np.int64)
        for along, across in ((0, 1), (1, 0)):
            starts = np.arange(0, size[along] - length + 1, length // 2)
            lines = np.arange(SPACING // 2, size[across], SPACING)
            places = np.broadcast_to(starts[:, None] + steps, (len(lines), len(starts), POINTS))
            fixed = np.broadcast_to(lines[:, None, None], places.shape)
            pair = (places, fixed) if along == 0 else (fixed, places)
            yield pair[0].reshape(-1, POINTS), pair[1].reshape(-1, POINTS), steps


def _residual(values: NDArray[np.float64], steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the relative error of the best straight line through each row of ``values``."""
    x = steps - steps.mean()
    mean = values.mean(axis=1, keepdims=True)
    slope = (values @ x / (x @ x))[:, None]
    squares = np.mean((values - mean - slope * x) ** 2, axis=1)
    error: NDArray[np.float64] = np.sqrt(squares) / mean[:, 0]
    return error
