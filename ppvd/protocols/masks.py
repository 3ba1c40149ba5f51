"""Masks that published evaluations lay over the truth."""

import torch
import torch.nn.functional as F
from torch import Tensor

# Sobel's derivative across, unnormalised, as SciPy has it.
_SOBEL = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]


def gentle(depth: Tensor, max_slope_m: float) -> Tensor:
    """Tell where ``|d/dx| + |d/dy|`` of the depth is at most ``max_slope_m`` (released code).

    The derivatives are SciPy's ``sobel``, eight times the slope from pixel to pixel; unknown
    depth is 0 here, so that the rims of holes are steep.

    Args:
        depth: Metres, 0 where unknown, ``(B, [T,] 1, H, W)``.
        max_slope_m: Largest sum that counts as gentle.

    Returns:
        Bool, shape of ``depth``.
    """
    across = torch.tensor(_SOBEL, dtype=torch.double, device=depth.device)
    kernels = torch.stack([across, across.mT])[:, None]
    maps = depth.double().flatten(0, -4)
    slopes = F.conv2d(F.pad(maps, (1, 1, 1, 1), mode="replicate"), kernels)
    steep: Tensor = slopes.abs().sum(dim=1, keepdim=True).reshape(depth.shape)
    return steep <= max_slope_m
