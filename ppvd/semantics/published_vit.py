"""The published encoders that are one vision transformer: DINOv2, Depth Anything v2, MAE."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from ppvd.semantics.image_input import ImageInput
from ppvd.semantics.published import PublishedEncoder
from ppvd.semantics.size import ViTSize, vit_size
from ppvd.semantics.vit import ViT

DINO_PATCH = 14
MAE_PATCH = 16


def dino(size: ViTSize) -> ViT:
    """Build a DINOv2, with the table of positions interpolated as released.

    Without registers by a factor whose numerator is 0.1 too large, unsmoothed (also Depth
    Anything v2, MoGe 2); with registers to the size, smoothed (also pi3, VGGT).
    """
    plain = size.num_registers == 0
    offset = 0.1 if plain else 0.0
    return ViT(**vars(size), patch=DINO_PATCH, offset=offset, antialias=not plain)


class DINOv2(PublishedEncoder[ViTSize]):
    """DINOv2 (Table IV): the patch tokens of the last block.

    The image is resized by 14/16, bicubic, as the released code does for Depth Anything v2;
    it has no DINOv2 of its own.

    Args:
        weights: ``dinov2_vit*14_pretrain.pth`` or ``dinov2_vit*14_reg4_pretrain.pth``.
        size: See ``PublishedEncoder``; in full ViT-L without registers.

    Raises:
        ValueError: If ``weights`` cannot be read or does not fit.
    """

    prefixes: ClassVar = {"backbone.": "backbone.", "": "backbone."}
    unused = r"mask_token"

    def __init__(self, weights: str | Path | None = None, *, size: ViTSize | None = None) -> None:
        super().__init__(weights, size)

    def forward(self, image: Tensor) -> Tensor:
        """Describe ``(B, 3, H, W)`` by ``(B, D', H / 16, W / 16)``; 16 must divide both sides."""
        features: Tensor = self.backbone(self.input(image))
        return features

    def build(self, size: ViTSize) -> None:
        """Set the parts."""
        self.width = size.width
        self.input = ImageInput(patch=DINO_PATCH)
        self.backbone = dino(size)

    def draw(self) -> None:
        """Draw the weights anew."""
        self.backbone.reset_parameters()

    @classmethod
    def full_size(cls) -> ViTSize:
        """Return ViT-L."""
        return ViTSize(width=1024, depth=24, num_heads=16, grid=37)

    @classmethod
    def read_size(cls, state: Mapping[str, Tensor], num_heads: int | None) -> ViTSize:
        """Read the size off the tensors."""
        return vit_size(state, prefix="backbone.", num_heads=num_heads)


class DepthAnythingV2(DINOv2):
    """Depth Anything v2 (released PPD, Table IV): its DINOv2, without the depth head.

    Args:
        weights: ``depth_anything_v2_vit*.pth``. The large one forbids commercial use.
        size: See ``PublishedEncoder``; in full ViT-L.

    Raises:
        ValueError: If ``weights`` cannot be read or does not fit.
    """

    prefixes: ClassVar = {"backbone.": "backbone.", "pretrained.": "backbone."}
    unused = r"pretrained\.mask_token|depth_head\..*"


class MAE(DINOv2):
    """A masked autoencoder's encoder (Table IV): the patch tokens of the last block.

    Its patch of 16 needs no resizing; its table of positions is interpolated to the size,
    bicubic, as its authors do.

    Args:
        weights: ``mae_pretrain_vit_*.pth``, with or without the decoder.
        size: See ``PublishedEncoder``; in full ViT-L.

    Raises:
        ValueError: If ``weights`` cannot be read or does not fit.
    """

    unused = r"mask_token|decoder_.*"

    def build(self, size: ViTSize) -> None:
        """Set the parts."""
        self.width = size.width
        self.input = ImageInput(patch=MAE_PATCH)
        self.backbone = ViT(**vars(size), patch=MAE_PATCH, layer_scale=None, antialias=False)

    @classmethod
    def full_size(cls) -> ViTSize:
        """Return ViT-L."""
        return ViTSize(width=1024, depth=24, num_heads=16, grid=14)
