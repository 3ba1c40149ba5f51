"""Depth maps as colour pictures."""

from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from ppvd.geometry.quantiles import masked_quantiles

# Colours that the turbo and inferno maps do not contain (inferno's ends are near black, cream).
INVALID_COLOUR = (96, 96, 96)
SKY_COLOUR = (255, 255, 255)

_MAPS = {"turbo": cv2.COLORMAP_TURBO, "inferno": cv2.COLORMAP_INFERNO}


def colourise(
    values: Tensor,
    *,
    valid: Tensor | None = None,
    sky: Tensor | None = None,
    limits: tuple[Tensor, Tensor] | None = None,
    quantiles: tuple[float, float] = (0.02, 0.98),
    near_is_high: bool = False,
    palette: Literal["turbo", "inferno"] = "turbo",
) -> Tensor:
    """Return pictures of depth maps or codes: near is warm, far is cold.

    Args:
        values: Any map that grows with depth, ``(B, 1, H, W)``.
        valid: Pixels to colour, bool, same shape; all finite ones by default, which are also the
            only ones coloured in any case. The others are grey.
        sky: Sky pixels, bool, same shape: white.
        limits: Values at the two ends of the palette, each ``(B, 1, 1, 1)`` or a scalar tensor;
            pass the truth's to paint a prediction alike. By default the map's own ``quantiles``.
        quantiles: Robust ends of the palette.
        near_is_high: Set for maps that shrink with depth, such as disparity.
        palette: OpenCV colour map.

    Returns:
        Red, green, blue, uint8, ``(B, 3, H, W)``, on the CPU.

    Raises:
        ValueError: If the shape is not ``(B, 1, H, W)`` or the palette unknown.
    """
    if values.ndim != 4 or values.shape[1] != 1:
        raise ValueError(f"values must have shape (B, 1, H, W), got {tuple(values.shape)}")
    if palette not in _MAPS:
        raise ValueError(f"palette must be one of {sorted(_MAPS)}, got {palette!r}")
    values = values.detach().float()
    shown = values.isfinite() if valid is None else valid & values.isfinite()
    low, high = masked_quantiles(values, shown, quantiles) if limits is None else limits
    fraction = ((values - low) / (high - low).clamp_min(1e-12)).where(shown, 0.0).clamp(0.0, 1.0)
    warm = fraction if near_is_high else 1.0 - fraction
    picture = _paint((warm * 255.0).round().byte().cpu(), palette)
    picture = _fill(picture, ~shown, INVALID_COLOUR)
    return picture if sky is None else _fill(picture, sky, SKY_COLOUR)


def _paint(levels: Tensor, palette: str) -> Tensor:
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], _MAPS[palette])[:, 0, ::-1]
    colours = torch.from_numpy(np.ascontiguousarray(table))  # (256, 3)
    return colours[levels[:, 0].long()].permute(0, 3, 1, 2).contiguous()


def _fill(picture: Tensor, mask: Tensor, colour: tuple[int, int, int]) -> Tensor:
    paint = torch.tensor(colour, dtype=torch.uint8).view(1, 3, 1, 1)
    return torch.where(mask.cpu(), paint, picture)
