"""A vision transformer as the semantics of a depth network."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ppvd.semantics.base import SemanticEncoder
from ppvd.semantics.checkpoint import load_strictly
from ppvd.semantics.image_input import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    ImageInput,
    Interpolation,
)
from ppvd.semantics.vit import ViT


class ViTEncoder(SemanticEncoder):
    """Describe an image by the patch tokens of a ``ViT``, one for each cell of pixels.

    For a backbone of one's own. The published ones have classes that know their file.
    On the meta device the file is not read: there is nothing to fill.

    Args:
        backbone: The transformer.
        weights: File that fills the backbone, strictly: a ViT, or a checkpoint of a run whose
            network holds this backbone (``load_strictly`` finds it). ``None`` leaves the
            weights as drawn.
        cell: Side, in pixels of the caller's image, of what one token describes. ``None`` means
            the patch itself: no resizing; see ``ImageInput``.
        interpolation: How the image is resized.
        antialias: Whether shrinking smooths the image first.
        mean: Colour that becomes zero, by channel. ImageNet's.
        std: Spread that becomes one, by channel. ImageNet's.

    Attributes:
        width: Channels of the features, those of the backbone.
        cell: As the argument, never ``None``.

    Raises:
        ValueError: If ``weights`` does not fit the backbone.
    """

    def __init__(
        self,
        backbone: ViT,
        *,
        weights: str | Path | None = None,
        cell: int | None = None,
        interpolation: Interpolation = "bicubic",
        antialias: bool = False,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.width = backbone.width
        self.cell = backbone.patch if cell is None else cell
        self.weights = weights
        self.input = ImageInput(
            patch=backbone.patch,
            cell=self.cell,
            interpolation=interpolation,
            antialias=antialias,
            mean=mean,
            std=std,
        )
        self._fill()

    def reset_parameters(self) -> None:
        """Fill the weights from the file, or draw them where there is none."""
        self.input.reset_parameters()
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
        features: Tensor = self.backbone(self.input(image))
        return features

    def _fill(self) -> None:
        if self.weights is not None and not self.backbone.cls_token.is_meta:
            load_strictly(self.backbone, self.weights)
