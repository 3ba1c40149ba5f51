"""Cameras of other conventions as ours: camera-to-world, metres, x right, y down, z forward."""

import numpy as np
from numpy.typing import NDArray

# A camera whose y axis points up and z backward (OpenGL), by our axes.
FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
# How far from orthonormal a rotation may be, as the largest entry of R^T R - 1 (ours): files with
# six digits stay below 1e-5, the broken ones of published sets are off by 1e-2 and more.
TOLERANCE = 1e-4


def camera_to_world(matrix: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """Return a camera-to-world matrix in float64, or None if it is no pose.

    A pose is finite, its rotation orthonormal and not mirrored. Data sets mark lost tracking with
    NaN or infinities and hold broken rotations; such frames are kept without a pose.

    Args:
        matrix: ``(4, 4)``, or ``(3, 4)`` without the last row.
    """
    pose = np.eye(4)
    pose[:3] = np.asarray(matrix, np.float64)[:3]
    rotation = pose[:3, :3]
    if not np.all(np.isfinite(pose)):
        return None
    straight = np.abs(rotation.T @ rotation - np.eye(3)).max() < TOLERANCE
    return pose if straight and np.linalg.det(rotation) > 0 else None


def world_to_camera(matrix: NDArray[np.floating]) -> NDArray[np.float64] | None:
    """Return the camera-to-world matrix of a world-to-camera one, or None if it is no pose.

    Args:
        matrix: ``(4, 4)`` or ``(3, 4)``.
    """
    pose = camera_to_world(matrix)
    if pose is None:
        return None
    inverse = np.eye(4)
    inverse[:3, :3] = pose[:3, :3].T
    inverse[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return inverse


def rotation_from_quaternion(quaternion: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rotation matrix ``(3, 3)`` of a quaternion ``x, y, z, w`` of any length.

    A quaternion that is zero or not finite gives NaN, which `camera_to_world` takes for no pose.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y, z, w = np.asarray(quaternion, np.float64) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def pinhole(fx: float, fy: float, cx: float, cy: float) -> NDArray[np.float64]:
    """Return the matrix ``(3, 3)`` of a pinhole camera, pixels."""
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], np.float64)


def scaled(intrinsics: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return ``intrinsics`` of the picture enlarged by ``factor`` in both directions.

    The centre of the first pixel is (0, 0), so that its corner (-0.5, -0.5) stays in place.
    """
    matrix = intrinsics.copy()
    matrix[:2, 2] += 0.5
    matrix[:2] *= factor
    matrix[:2, 2] -= 0.5
    return matrix
