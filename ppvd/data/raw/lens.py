"""The pinhole camera behind a map from pixels to rays, tilted and shifted lenses included."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import rq


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lens:
    """A pinhole whose optical axis is the normal of its sensor.

    Attributes:
        intrinsics: Matrix ``(3, 3)`` in pixels, without skew.
        turn: Rotation ``(3, 3)`` from the axes that the rays were given in to the pinhole's own.
        skew_px: Skew that a pinhole cannot show and that is left out, pixels.
    """

    intrinsics: NDArray[np.float64]
    turn: NDArray[np.float64]
    skew_px: float


def lens_from_rays(ray_from_pixel: NDArray[np.float64]) -> Lens:
    """Return the pinhole of a linear map from pixels ``(x, y, 1)`` to rays.

    The inverse map is ``intrinsics @ turn``, which its RQ decomposition takes apart.

    Args:
        ray_from_pixel: Invertible ``(3, 3)``; axes of the rays x right, y down, z forward.
    """
    upper, turn = rq(np.linalg.inv(ray_from_pixel))
    signs = np.diag(np.sign(np.diag(upper)))
    upper, turn = upper @ signs, signs @ turn
    upper = upper / upper[2, 2]
    skew_px = float(upper[0, 1])
    upper[0, 1] = 0
    # A mirrored map has a negative determinant; its rays point backward.
    return Lens(intrinsics=upper, turn=turn * np.sign(np.linalg.det(turn)), skew_px=skew_px)
