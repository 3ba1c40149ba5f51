"""A depth map seen from another camera: points carried over and splatted, pixel by pixel."""

import torch
from torch import Tensor

from ppvd.geometry.camera import unproject


def splat_depth(
    depth: Tensor,
    source_intrinsics: Tensor,
    target_intrinsics: Tensor,
    source_to_target: Tensor,
    *,
    zbuffer: bool = True,
) -> Tensor:
    """Return the depth that another camera would see of one map's points.

    Each point lands on the pixel nearest to its projection. Pixels without a point stay 0.

    Args:
        depth: Metres, ``(1, H, W)``.
        source_intrinsics: ``(3, 3)``, of this map.
        target_intrinsics: ``(3, 3)``, of the other camera, whose image has the same size.
        source_to_target: Rigid motion of points from this camera to the other, ``(4, 4)``.
        zbuffer: Keep the nearest of several points on a pixel and drop points behind the camera.
            Without, the last in order of rows wins, and behind counts too (Video Depth Anything's
            evaluation).

    Returns:
        Metres along the other camera's axis, ``(1, H, W)``, dtype of ``depth``.
    """
    height, width = depth.shape[-2:]
    points = unproject(depth, source_intrinsics.to(depth)).flatten(1)  # (3, H W)
    motion = source_to_target.to(depth)
    moved = motion[:3, :3] @ points + motion[:3, 3:]
    z = moved[2]
    k = target_intrinsics.to(depth)
    u = (k[0, 0] * moved[0] + k[0, 1] * moved[1]) / z + k[0, 2]
    v = k[1, 1] * moved[1] / z + k[1, 2]
    inside = (u.round() >= 0) & (u.round() < width) & (v.round() >= 0) & (v.round() < height)
    inside = inside & (z > 0.0) if zbuffer else inside
    place = (v.round() * width + u.round()).where(inside, 0.0).long()[inside]
    if zbuffer:
        seen = torch.full_like(z, torch.inf).scatter_reduce(0, place, z[inside], "amin")
        return seen.where(seen.isfinite(), 0.0).reshape(1, height, width)
    # NumPy's assignment lets the last of equal indices win; torch's promises nothing.
    seen = torch.zeros(height * width, dtype=depth.dtype)
    seen.numpy()[place.cpu().numpy()] = z[inside].detach().cpu().numpy()
    return seen.to(depth.device).reshape(1, height, width)
