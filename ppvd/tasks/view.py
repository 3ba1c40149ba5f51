"""How images come before a network of limited sizes, and how its depth comes back."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import prod
from typing import Literal, Protocol

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from ppvd.geometry import enlarge_depth, working_size

# Step of the code, whose range is about 1, that counts as a depth edge when a map is enlarged.
MAX_CODE_GAP = 0.03
# Area and divisor to which the released image script brings every photograph.
RELEASED_PIXELS, RELEASED_DIVISOR = 1024 * 768, 16
# Side of the only images the released video model takes.
RELEASED_SIDE = 512


class View(Protocol):
    """Brings images to a size the network takes, and codes to the size of the images."""

    def shrink(self, image: Tensor) -> Tensor:
        """Return images ``(B, 3, H, W)`` at a working size, ``(B, 3, h, w)``."""

    def enlarge(self, code: Tensor, image: Tensor) -> Tensor:
        """Return codes ``(B, 1, h, w)`` at the size of their images, ``(B, 1, H, W)``."""


@dataclass(frozen=True, kw_only=True)
class NativeView:
    """Keeps the aspect ratio, and averages no depth across an edge (ours).

    Args:
        divisor: Number that must divide both sides of what the network sees.
        pixels: Area of what it sees; ``None`` for the image's own scale.
    """

    divisor: int
    pixels: int | None = None

    def shrink(self, image: Tensor) -> Tensor:
        """Resize with antialiasing; an image of a working size stays as it is."""
        size = image.shape[-2], image.shape[-1]
        working = working_size(size, divisor=self.divisor, pixels=self.pixels)
        if working == size:
            return image
        return F.interpolate(image, working, mode="bilinear", antialias=True)

    def enlarge(self, code: Tensor, image: Tensor) -> Tensor:
        """Enlarge along the edges of the image; edges of depth stay steps."""
        size = image.shape[-2], image.shape[-1]
        if code.shape[-2:] == size:
            return code
        return enlarge_depth(code, size, max_gap=MAX_CODE_GAP, relative=False, guide=image)


@dataclass(frozen=True)
class ResizedView:
    """Shows images as another view does, and enlarges as an evaluation protocol demands.

    Args:
        view: The other view.
        mode: How codes come to the size of their images.
    """

    view: View
    mode: Literal["nearest", "bilinear"]

    def shrink(self, image: Tensor) -> Tensor:
        """Resize as the other view does."""
        return self.view.shrink(image)

    def enlarge(self, code: Tensor, image: Tensor) -> Tensor:
        """Enlarge, bilinearly across edges too."""
        if self.mode == "bilinear":
            return _enlarge_bilinearly(code, image)
        return F.interpolate(code, (image.shape[-2], image.shape[-1]), mode="nearest")


@dataclass(frozen=True, kw_only=True)
class ReleasedPhotoView:
    """What the released image script does: for comparison with its numbers.

    Photographs are resized in 8 bits on the host, by area where they shrink and bicubic where
    they grow, always to the same area; depth is enlarged bilinearly, across edges too.

    Args:
        pixels: Area of what the network sees.
    """

    pixels: int = RELEASED_PIXELS

    def shrink(self, image: Tensor) -> Tensor:
        """Resize each photograph."""
        size = image.shape[-2], image.shape[-1]
        height, width = working_size(size, divisor=RELEASED_DIVISOR, pixels=self.pixels)
        filtering = cv2.INTER_AREA if self.pixels < prod(size) else cv2.INTER_CUBIC
        photos = (255 * image).round().byte().movedim(1, -1).cpu().numpy()
        resized = [cv2.resize(photo, (width, height), interpolation=filtering) for photo in photos]
        shrunk = torch.stack([torch.from_numpy(photo) for photo in resized])
        return shrunk.movedim(-1, 1).to(image) / 255

    def enlarge(self, code: Tensor, image: Tensor) -> Tensor:
        """Enlarge bilinearly."""
        return _enlarge_bilinearly(code, image)


@dataclass(frozen=True)
class ReleasedVideoView:
    """What the released video script does: for comparison with its numbers, not for depth.

    Frames are squashed to 512 x 512 without antialiasing, the red channel takes blue's place, and
    depth is enlarged bilinearly, across edges too.
    """

    def shrink(self, image: Tensor) -> Tensor:
        """Squash the frames, and swap red and blue."""
        size = RELEASED_SIDE, RELEASED_SIDE
        return F.interpolate(image.flip(1), size, mode="bilinear", align_corners=False)

    def enlarge(self, code: Tensor, image: Tensor) -> Tensor:
        """Enlarge bilinearly."""
        return _enlarge_bilinearly(code, image)


def released_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return autocast as the released scripts choose it, whatever the device.

    It is bfloat16 where a CUDA device knows it and float16 elsewhere, also on a CPU, where
    it is slower than float32 and no better.
    """
    dtype = torch.bfloat16 if _cuda_has_bfloat16() else torch.float16
    return torch.autocast(device.type, dtype=dtype)


def _cuda_has_bfloat16() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def _enlarge_bilinearly(code: Tensor, image: Tensor) -> Tensor:
    size = image.shape[-2], image.shape[-1]
    return F.interpolate(code, size, mode="bilinear", align_corners=False)
