"""Depth edges by the Canny operator, and the band of pixels around them."""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ppvd.geometry.device_edges import device_canny


@dataclass(frozen=True)
class DepthCanny:
    """Find the edges of true depth maps with ``cv2.Canny`` on an 8-bit picture of each map.

    The paper says no more than "the Canny operator" (section IV, Table VI): every value here
    is a choice of ours. The picture spans the valid depths of its own map, and holes take the
    value of the nearest valid pixel, so that the border of a hole is no edge.

    Args:
        space: Picture of ``log(depth)``, which weighs relative jumps, or of ``depth``.
        low_threshold: Lower gradient threshold in grey levels.
        high_threshold: Upper gradient threshold in grey levels (100 and 200 are the values of
            OpenCV's tutorial; halving them moves the Chamfer distance by a tenth).
        aperture: Side of the Sobel kernel: 3, 5 or 7.
        euclidean: Gradient length by the L2 norm instead of OpenCV's default, L1.
        engine: ``"opencv"``, the reference, on the CPU; or ``"kornia"`` on the device of the maps,
            with ``euclidean`` gradients and aperture 3 only. On steep steps the two agree pixel by
            pixel (cv2 5.0, kornia 0.9); on faint ones, under 50 grey levels, up to a fifth differ,
            and around many small holes, where they take different ones of several nearest
            pixels, more than half.

    Raises:
        ValueError: If a name is unknown, the aperture no Sobel size, the thresholds not ordered,
            or the engine has not what is asked.
    """

    space: Literal["log", "depth"] = "log"
    low_threshold: float = 100.0
    high_threshold: float = 200.0
    aperture: int = 3
    euclidean: bool = False
    engine: Literal["opencv", "kornia"] = "opencv"

    def __post_init__(self) -> None:
        if self.space not in ("log", "depth"):
            raise ValueError(f"space must be log or depth, got {self.space!r}")
        if self.aperture not in (3, 5, 7):
            raise ValueError(f"aperture must be 3, 5 or 7, got {self.aperture}")
        if not 0.0 <= self.low_threshold <= self.high_threshold:
            raise ValueError(
                "thresholds must satisfy 0 <= low_threshold <= high_threshold, got "
                f"{self.low_threshold} and {self.high_threshold}"
            )
        if self.engine not in ("opencv", "kornia"):
            raise ValueError(f"engine must be opencv or kornia, got {self.engine!r}")
        if self.engine == "kornia" and not (self.euclidean and self.aperture == 3):
            raise ValueError(
                "engine kornia has Euclidean gradients of aperture 3 only, got "
                f"euclidean={self.euclidean} and aperture {self.aperture}"
            )

    def __call__(self, depth: Tensor, valid: Tensor) -> Tensor:
        """Return the edge pixels of each map; by OpenCV on the CPU, image by image.

        Args:
            depth: Metres, ``(B, 1, H, W)``, positive where valid.
            valid: True where ``depth`` is a measurement, bool, shape of ``depth``.

        Returns:
            True on edge pixels, bool, shape and device of ``depth``; all false for maps that are
            constant or have nothing valid. An edge may run through a hole, halfway between its
            two sides (stereo leaves holes just there): meet the mask with ``valid`` after
            ``dilate``, not before.

        Raises:
            ValueError: If the shapes are not both ``(B, 1, H, W)``.
        """
        if depth.ndim != 4 or depth.shape[1] != 1 or valid.shape != depth.shape:
            raise ValueError(
                "depth and valid must both have shape (B, 1, H, W), got "
                f"{tuple(depth.shape)} and {tuple(valid.shape)}"
            )
        if self.engine == "kornia":
            return self._device_edges(depth, valid)
        maps = zip(depth[:, 0].detach().cpu().numpy(), valid[:, 0].cpu().numpy(), strict=True)
        edges = [torch.from_numpy(self._edges(one, mask)) for one, mask in maps]
        return torch.stack(edges)[:, None].to(depth.device) if edges else valid.clone()

    def _device_edges(self, depth: Tensor, valid: Tensor) -> Tensor:
        values = depth.double().where(valid, 1.0)
        return device_canny(
            values.log() if self.space == "log" else values,
            valid,
            low_threshold=self.low_threshold,
            high_threshold=self.high_threshold,
        )

    def _edges(self, depth: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if not valid.any():
            return np.zeros_like(valid)
        found = cv2.Canny(
            self._picture(depth, valid),
            self.low_threshold,
            self.high_threshold,
            apertureSize=self.aperture,
            L2gradient=self.euclidean,
        )
        return found > 0

    def _picture(self, depth: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Draw one map in grey levels 0 to 255."""
        values = np.where(valid, depth, 1.0).astype(np.float64)
        values = np.log(values) if self.space == "log" else values
        low, high = values[valid].min(), values[valid].max()
        if not high > low:
            return np.zeros(depth.shape, np.uint8)
        grey = np.rint(255.0 * (values - low) / (high - low)).clip(0.0, 255.0).astype(np.uint8)
        return grey if valid.all() else _fill_from_nearest(grey, valid)


def dilate(mask: Tensor, radius: int) -> Tensor:
    """Return the pixels within ``radius`` of a true one, rows and columns apart (a square).

    Args:
        mask: Bool, ``(B, 1, H, W)``.
        radius: Pixels; 0 returns the mask itself.

    Raises:
        ValueError: If ``radius`` is negative.
    """
    if radius < 0:
        raise ValueError(f"radius must be at least 0 pixels, got {radius}")
    if radius == 0:
        return mask
    return F.max_pool2d(mask.float(), 2 * radius + 1, stride=1, padding=radius) > 0.5


def _fill_from_nearest(grey: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    nearest = distance_transform_edt(~valid, return_distances=False, return_indices=True)
    filled: NDArray[np.uint8] = grey[tuple(nearest)]
    return filled
