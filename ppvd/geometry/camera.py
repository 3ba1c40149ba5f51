"""Pinhole cameras: pixels to points and back, and what image edits do to intrinsics.

Intrinsics are ``[[fx, s, cx], [0, fy, cy], [0, 0, 1]]`` in pixels, for images whose first pixel's
centre is (0, 0): a point ``(x, y, z)`` appears at ``u = fx * x / z + cx``. Camera axes are x right,
y down, z forward. The editing functions take torch tensors and NumPy arrays alike.
"""

import math
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = TypeVar("Array", Tensor, NDArray[Any])


def unproject(depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Return the point that each pixel sees, in camera coordinates.

    Args:
        depth: Depth along the optical axis in metres, ``(..., 1, H, W)``.
        intrinsics: ``(..., 3, 3)``, same leading axes.

    Returns:
        Points x, y, z in metres, ``(..., 3, H, W)``, in the wider dtype of the two.

    Raises:
        ValueError: If ``depth`` has no channel axis of size 1, or ``intrinsics`` is not 3x3.
    """
    if depth.ndim < 3 or depth.shape[-3] != 1:
        raise ValueError(f"depth must have shape (..., 1, H, W), got {tuple(depth.shape)}")
    fx, skew, cx, fy, cy = _parameters(intrinsics)
    height, width = depth.shape[-2:]
    z = depth.squeeze(-3)  # (..., H, W)
    u = torch.arange(width, device=depth.device, dtype=z.dtype)
    v = torch.arange(height, device=depth.device, dtype=z.dtype)[:, None]
    y = (v - cy) / fy
    x = (u - cx - skew * y) / fx
    return torch.stack([x * z, y * z, z], dim=-3)


def project(points: Tensor, intrinsics: Tensor) -> Tensor:
    """Return the pixel coordinates at which points appear.

    Args:
        points: Camera coordinates in metres, ``(..., 3, H, W)``, in front of the camera.
        intrinsics: ``(..., 3, 3)``, same leading axes.

    Returns:
        Pixels u, v, ``(..., 2, H, W)``; not finite where z is 0.

    Raises:
        ValueError: If ``points`` has no channel axis of size 3, or ``intrinsics`` is not 3x3.
    """
    if points.ndim < 3 or points.shape[-3] != 3:
        raise ValueError(f"points must have shape (..., 3, H, W), got {tuple(points.shape)}")
    fx, skew, cx, fy, cy = _parameters(intrinsics)
    x, y, z = points.unbind(dim=-3)
    return torch.stack([(fx * x + skew * y) / z + cx, fy * y / z + cy], dim=-3)


def intrinsics_from_fov(height: int, width: int, *, horizontal_fov_deg: float) -> Tensor:
    """Return the ``(3, 3)`` intrinsics of square pixels around the image's middle.

    Args:
        height: Image height in pixels.
        width: Image width in pixels; the field of view spans all of it, edge to edge.
        horizontal_fov_deg: Horizontal field of view in degrees, within (0, 180).

    Raises:
        ValueError: If the field of view is outside (0, 180) degrees.
    """
    if not 0.0 < horizontal_fov_deg < 180.0:
        raise ValueError(
            f"horizontal_fov_deg must lie within (0, 180) degrees, got {horizontal_fov_deg}"
        )
    focal_px = width / 2.0 / math.tan(math.radians(horizontal_fov_deg) / 2.0)
    cx, cy = (width - 1) / 2.0, (height - 1) / 2.0
    return torch.tensor([[focal_px, 0.0, cx], [0.0, focal_px, cy], [0.0, 0.0, 1.0]])


def scale_intrinsics(intrinsics: Array, *, scale_x: float, scale_y: float) -> Array:
    """Return the intrinsics of the image resized by the two factors (new size over old size).

    Resizing keeps the image's outer edges, half a pixel outside the outermost centres, in place:
    ``u' = (u + 0.5) * scale_x - 0.5``.

    Raises:
        ValueError: If a factor is not positive.
    """
    if not (scale_x > 0.0 and scale_y > 0.0):
        raise ValueError(f"scale_x and scale_y must be positive, got {scale_x} and {scale_y}")
    factor = [[scale_x] * 3, [scale_y] * 3, [1.0] * 3]
    return _edit(intrinsics, factor, (scale_x - 1.0) / 2.0, (scale_y - 1.0) / 2.0)


def crop_intrinsics(intrinsics: Array, *, top: float, left: float) -> Array:
    """Return the intrinsics of the image whose first pixel was at row ``top``, column ``left``."""
    return _edit(intrinsics, [[1.0] * 3] * 3, -left, -top)


def flip_intrinsics(intrinsics: Array, *, width: int) -> Array:
    """Return the intrinsics of the image of ``width`` pixels mirrored left to right.

    The focal length stays positive: it is the scene whose x axis is mirrored.
    """
    factor = [[1.0, -1.0, -1.0], [1.0] * 3, [1.0] * 3]
    return _edit(intrinsics, factor, width - 1.0, 0.0)


def _edit(intrinsics: Array, factor: list[list[float]], right: float, down: float) -> Array:
    """Multiply entry by entry, then move the principal point."""
    _check_intrinsics(intrinsics)
    offset = [[0.0, 0.0, right], [0.0, 0.0, down], [0.0] * 3]
    if isinstance(intrinsics, Tensor):
        return intrinsics * intrinsics.new_tensor(factor) + intrinsics.new_tensor(offset)
    dtype = intrinsics.dtype
    edited: NDArray[Any] = intrinsics * np.asarray(factor, dtype) + np.asarray(offset, dtype)
    return edited


def _parameters(intrinsics: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return fx, skew, cx, fy, cy, each ``(..., 1, 1)``."""
    _check_intrinsics(intrinsics)
    k = intrinsics[..., None, None]
    entries = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2))
    fx, skew, cx, fy, cy = (k[..., row, column, :, :] for row, column in entries)
    return fx, skew, cx, fy, cy


def _check_intrinsics(intrinsics: Tensor | NDArray[Any]) -> None:
    if intrinsics.ndim < 2 or tuple(intrinsics.shape[-2:]) != (3, 3):
        raise ValueError(f"intrinsics must have shape (..., 3, 3), got {tuple(intrinsics.shape)}")
    floating = (
        intrinsics.is_floating_point()
        if isinstance(intrinsics, Tensor)
        else np.issubdtype(intrinsics.dtype, np.floating)
    )
    if not floating:
        raise ValueError(f"intrinsics must be floating point, got {intrinsics.dtype}")
