"""How an image comes before a foundation model: one patch for each cell, in the model's colours."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

CELL = 16
"""Pixels of the caller's image along one side of what a token describes; released code."""

Interpolation = Literal["bilinear", "bicubic"]


class ImageInput(nn.Module):
    """Resize an image until one patch of the model falls on one cell, then normalise it.

    The released networks never interpolate features: where the model's patch (14) is not the
    network's cell (16), the *image* is resized. Depth Anything V2 normalises first, the others
    last; that is the same but for rounding, for a resize weighs its pixels to a sum of one.

    Args:
        patch: Side of a patch of the model in pixels.
        cell: Side, in pixels of the caller's image, of what one token describes.
        interpolation: How the image is resized.
        antialias: Whether shrinking smooths the image first.
        mean: Colour that becomes zero, by channel. ImageNet's.
        std: Spread that becomes one, by channel. ImageNet's.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        patch: int,
        cell: int = CELL,
        interpolation: Interpolation = "bicubic",
        antialias: bool = False,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.patch, self.cell = patch, cell
        self.interpolation, self.antialias = interpolation, antialias
        self._colour = {"mean": tuple(mean), "std": tuple(std)}
        for name in self._colour:  # not persistent: they belong to the recipe, not to the file
            self.register_buffer(name, torch.empty(1, 3, 1, 1), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fill in the colours."""
        for name, values in self._colour.items():
            buffer: Tensor = getattr(self, name)
            buffer.copy_(torch.tensor(values, device=buffer.device).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Prepare an image.

        Args:
            image: sRGB colour in [0, 1], ``(B, 3, H, W)``, both sides divisible by ``cell``.

        Returns:
            Normalised colour, ``(B, 3, H / cell * patch, W / cell * patch)``.

        Raises:
            ValueError: If ``cell`` does not divide the image.
        """
        sides = image.shape[-2:]
        for name, side in zip(("height", "width"), sides, strict=True):
            if side % self.cell:
                raise ValueError(f"image {name} must be divisible by {self.cell}, got {side}")
        if self.cell != self.patch:
            size = [side // self.cell * self.patch for side in sides]
            image = F.interpolate(image, size, mode=self.interpolation, antialias=self.antialias)
        return (image - self.mean) / self.std
