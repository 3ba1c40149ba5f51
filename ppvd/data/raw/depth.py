"""From what a data set stores to planar z in metres and the three states of a pixel."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SKY_BEYOND_M = 200.0
"""Depth beyond this is sky in rendered sets that put it somewhere far away (released code)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DepthMap:
    """Depth as a frame holds it.

    Attributes:
        depth: Planar z in metres, float32, ``(H, W)``; 0 where not ``valid``.
        valid: True where ``depth`` is a measurement.
        sky: True where the ray meets nothing; never valid.
    """

    depth: NDArray[np.float32]
    valid: NDArray[np.bool_]
    sky: NDArray[np.bool_]


def depth_map(
    metres: NDArray[np.floating],
    *,
    sky: NDArray[np.bool_] | None = None,
    sky_beyond_m: float = math.inf,
) -> DepthMap:
    """Sort pixels into measured, unknown and sky.

    Zero, negative numbers and NaN are unknown.

    Args:
        metres: Planar z, ``(H, W)``.
        sky: True where the set says that there is sky.
        sky_beyond_m: Farther depth, infinite one included, is sky; where it is infinite, so that
            the set knows no far sky, infinite depth is unknown.
    """
    far = metres > sky_beyond_m
    beyond = far if sky is None else far | sky
    valid = (metres > 0) & np.isfinite(metres) & ~beyond
    depth = np.where(valid, metres, 0).astype(np.float32)
    # What float32 cannot hold above zero is no measurement.
    return DepthMap(depth=depth, valid=depth > 0, sky=beyond)


def depth_from_disparity(
    disparity: NDArray[np.float32], *, focal_px: float, baseline_m: float
) -> NDArray[np.float64]:
    """Return planar z ``focal * baseline / disparity``; NaN where disparity is not positive.

    Args:
        disparity: Pixels of the picture that ``focal_px`` is of, ``(H, W)``.
        focal_px: Focal length, pixels.
        baseline_m: Distance of the two cameras, metres.
    """
    known = disparity > 0
    shifts = np.where(known, disparity, np.nan).astype(np.float64)
    return focal_px * baseline_m / shifts


def planar_depth(distance: NDArray[np.floating], rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return planar z of points at a Euclidean distance from the camera.

    Args:
        distance: Metres along the ray, ``(H, W)``.
        rays: Directions of the pixels' rays of any length, axes x right, y down, z forward,
            ``(H, W, 3)``.
    """
    cosine: NDArray[np.float64] = rays[..., 2] / np.linalg.norm(rays, axis=-1)
    return distance * cosine
