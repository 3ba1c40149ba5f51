"""A vision transformer as the semantics of a depth network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ppvd.semantics.base import SemanticEncoder
from ppvd.semantics.checkpoint import load_strictly
from ppvd.semantics.vit import ViT

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ViTEncoder(SemanticEncoder):
    """Describe an image by the patch tokens of a ``ViT``, one for each cell of pixels.

    The released networks never interpolate features: where the ViT's patch (14) is not the
    network's cell (16), the *image* is resized so that one token falls on one cell.

    On the meta device the file is not read: there is nothing to fill.

    Args:
        backbone: The transformer.
        weights: File that fills the backbone, strictly: a published ViT, or a checkpoint of a
            run whose network holds this backbone (``load_strictly`` finds it). ``None`` leaves
            the weights as drawn.
        cell: Side, in pixels of the caller's image, of what one token describes. ``None`` means
            the patch itself: no resizing. Released DINOv2-type encoders: 16.
        interpolation: How the image is resized. Depth Anything V2: bicubic.
        antialias: Whether shrinking smooths the image first. Depth Anything V2: no.
        mean: Colour that becomes zero, by channel. ImageNet's.
        std: Spread that becomes one, by channel. ImageNet's.

    Attributes:
        width: Channels of the features, those of the backbone.
        cell: As the argument, never ``None``.

    Raises:
        ValueError: If ``weights`` does not fit the backbone.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: ViT,
        *,
        weights: str | Path | None = None,
        cell: int | None = None,
        interpolation: Literal["bilinear", "bicubic"] = "bicubic",
        antialias: bool = False,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.width = backbone.width
        self.cell = backbone.patch if cell is None else cell
        self.weights = weights
        self.interpolation = interpolation
        self.antialias = antialias
        self._colour = {"mean": tuple(mean), "std": tuple(std)}
        for name in self._colour:  # not persistent: they belong to the recipe, not to the file
            self.register_buffer(name, torch.empty(1, 3, 1, 1), persistent=False)
        self._fill()

    def reset_parameters(self) -> None:
        """Fill the weights from the file, or draw them where there is none."""
        self.backbone.reset_parameters()
        self._fill()

    def forward(self, image: Tensor) -> Tensor:
        """Describe an image.

        Args:
            image: sRGB colour in [0, 1], ``(B, 3, H, W)``, both sides divisible by ``cell``.

        Returns:
            Features ``(B, D', H / cell, W / cell)``.

        Raises:
            ValueError: If ``cell`` does not divide the image.
        """
        features: Tensor = self.backbone(self._fit((image - self.mean) / self.std))
        return features

    def _fit(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        for name, side in (("height", height), ("width", width)):
            if side % self.cell:
                raise ValueError(f"image {name} must be divisible by {self.cell}, got {side}")
        if self.cell == self.backbone.patch:
            return image
        size = [side // self.cell * self.backbone.patch for side in (height, width)]
        return F.interpolate(image, size, mode=self.interpolation, antialias=self.antialias)

    def _fill(self) -> None:
        for name, values in self._colour.items():
            buffer: Tensor = getattr(self, name)
            buffer.copy_(torch.tensor(values, device=buffer.device).view(1, 3, 1, 1))
        if self.weights is not None and not self.backbone.cls_token.is_meta:
            load_strictly(self.backbone, self.weights)
