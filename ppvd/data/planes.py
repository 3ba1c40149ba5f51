"""Whether a depth map holds planar z or the length of the ray, told by the planes in it.

On a flat surface ``1 / z`` is an affine function of the pixel: that is what being a plane means for
a pinhole camera. If a map holds the length of the ray ``d = z |r|`` instead, with ``r`` the ray of
depth 1, then ``|r| / d`` is the affine one. Walls and floors decide which (ours).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Windows of a half to an eighth of the shorter side, neighbours half of that apart.
SHARES = (2, 3, 4, 6, 8)
# A window is looked at through so many pixels a side.
GRID = 12
# Root mean square of the relative residual below which a window shows a plane: four times the
# rounding of float16, and above that of millimetres at 1 m.
FLAT = 2e-3
# The other reading must fit so many times worse for a window to have a say.
CLEARLY = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneVotes:
    """How many windows are flat under one reading of the map and clearly not under the other.

    Attributes:
        planar: Windows that are flat if the map holds z.
        distance: Windows that are flat if the map holds the length of the ray.
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
    """Return what the flat windows of a map say it holds.

    Only windows whose every looked-at pixel is valid count, so that sparse maps say nothing.

    Args:
        depth: What is to be told, metres, ``(H, W)``.
        valid: Where ``depth`` is a measurement, ``(H, W)``.
        intrinsics: Pinhole matrix, pixels, ``(3, 3)``.
    """
    rays = _ray_lengths(depth.shape, intrinsics)
    votes = PlaneVotes()
    for places in _windows(depth.shape):
        whole = np.flatnonzero(valid[places].all(axis=1))
        rows, columns = (place[whole] for place in places)
        nearness = 1 / depth[rows, columns].astype(np.float64)
        planar = _residual(nearness)
        distance = _residual(nearness * rays[rows, columns])
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


def _windows(size: tuple[int, ...]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield, for each size of window, rows and columns to look at, ``(windows, GRID * GRID)``."""
    for share in SHARES:
        side = min(size) // share
        if side < GRID:
            return
        tops, lefts = (np.arange(0, length - side + 1, side // 2) for length in size)
        steps = np.linspace(0, side - 1, GRID).astype(np.int64)
        grid = np.broadcast_to(
            (tops[:, None, None, None] + steps[:, None]) * size[1] + (lefts[:, None, None] + steps),
            (len(tops), len(lefts), GRID, GRID),
        ).reshape(-1, GRID * GRID)
        yield grid // size[1], grid % size[1]


def _residual(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the relative error of the best affine fit to each row of ``values``."""
    y, x = np.mgrid[:GRID, :GRID].reshape(2, -1) / (GRID - 1) - 0.5
    basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y], axis=1))
    left = values - (values @ basis) @ basis.T
    error: NDArray[np.float64] = np.sqrt(np.mean(left**2, axis=1)) / values.mean(axis=1)
    return error
