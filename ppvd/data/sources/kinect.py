"""What the Kinect of NYU Depth v2 recorded, as pictures with depth of the same pixels.

The calibration is that of the authors' toolbox, whose pixels count from 1. Codes are undistorted
by the nearest one instead of by blending, so that no depth is made up between two surfaces.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.data.raw import pinhole

SIZE = (480, 640)
INTRINSICS = pinhole(518.85790, 519.46961, 325.58245 - 1, 253.73617 - 1)
"""Of the colour camera, once its picture is undistorted."""
DEPTH_INTRINSICS = pinhole(582.62448, 582.69103, 313.04476 - 1, 238.44390 - 1)
# Radial (two), tangential (two) and third radial coefficients of each lens.
COLOUR_LENS = np.array([0.20796615, -0.58613825, 7.2231363e-4, 1.0479627e-3, 0.49856987])
DEPTH_LENS = np.array([-0.099897237, 0.39065325, 1.9290593e-3, -1.9422022e-3, -0.51031725])
# From the depth camera to the colour camera: the toolbox turns by -R and shifts by T, which shows
# the same as turning by R and shifting by -T.
TURN = np.array(
    [
        [0.99997799, 0.0050518419, 0.0043011152],
        [-0.0050359920, 0.99998052, -0.0036879781],
        [-0.0043196625, 0.0036662366, 0.99998395],
    ]
)
SHIFT_M = -np.array([2.5031875e-2, -2.9342313e-4, 6.6238747e-4])

# A code c stands for 351.3 / (1092.5 - c) metres; below 600 it is none.
SCALE, OFFSET, LOWEST = 351.3, 1092.5, 600
FAR_M = 10.0


def undistorted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture as a pinhole would have taken it; black where the lens saw nothing."""
    return cv2.undistort(image, INTRINSICS, COLOUR_LENS).astype(np.uint8, copy=False)


def depth_in_picture(codes: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return metres at the pixels of the undistorted picture, 0 where unknown, ``(H, W)``.

    Each measurement is moved to the pixel of the picture that shows it, the nearest wins; what
    the colour camera sees past it stays unknown. As with the authors it keeps the z of the depth
    camera, less than a millimetre from that of the colour camera.

    Args:
        codes: The sensor's codes, ``(H, W)``.
    """
    metres = _metres(_undistorted_codes(codes))
    rows, columns = np.nonzero(metres)
    z = metres[rows, columns]
    rays = np.linalg.inv(DEPTH_INTRINSICS) @ np.stack([columns, rows, np.ones_like(rows)])
    x, y, w = INTRINSICS @ (TURN @ (rays * z) + SHIFT_M[:, None])
    places = np.rint(np.stack([y / w, x / w])).astype(np.int64)
    inside = np.all((places >= 0) & (places < np.array(codes.shape)[:, None]), axis=0)
    depth = np.full(codes.shape, np.inf)
    np.minimum.at(depth, tuple(places[:, inside]), z[inside])
    return np.where(np.isfinite(depth), depth, 0).astype(np.float32)


def _metres(codes: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Return metres, 0 for a code that is no measurement; the end of the range is none."""
    known = (codes >= LOWEST) & (codes < OFFSET - SCALE / FAR_M)
    return np.where(known, SCALE / (OFFSET - np.where(known, codes, 0.0)), 0)


def _undistorted_codes(codes: NDArray[np.uint16]) -> NDArray[np.uint16]:
    size = (codes.shape[1], codes.shape[0])
    maps = cv2.initUndistortRectifyMap(
        DEPTH_INTRINSICS, DEPTH_LENS, np.eye(3), DEPTH_INTRINSICS, size, cv2.CV_32FC1
    )
    moved = cv2.remap(codes, maps[0], maps[1], cv2.INTER_NEAREST, borderValue=0)
    return moved.astype(np.uint16, copy=False)
