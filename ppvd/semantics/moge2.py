"""MoGe 2 as the released PPD uses it: four layers of its backbone, projected and added."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from ppvd.semantics.image_input import ImageInput
from ppvd.semantics.published import PublishedEncoder
from ppvd.semantics.published_vit import DINO_PATCH, DINOv2, dino
from ppvd.semantics.size import ViTSize, side, vit_size
from ppvd.semantics.vit_block import draw_weights

NUM_TAPS = 4
"""Layers that are projected: the last block of each quarter of the backbone (released)."""


@dataclass(frozen=True, kw_only=True)
class MoGe2Size:
    """Numbers by which MoGe 2 networks differ.

    Args:
        backbone: Its DINOv2, of at least 4 blocks.
        projected: Channels of the features.
    """

    backbone: ViTSize
    projected: int


class MoGe2(PublishedEncoder[MoGe2Size]):
    """MoGe 2 (released PPD, Table IV), without its neck and heads.

    The image is resized by 14/16, bilinear with smoothing. The tokens after the last block of
    each quarter pass the backbone's last norm and a layer of their own; their sum is returned.

    Args:
        weights: ``moge-2-vit*``'s ``model.pt``. MIT licence.
        size: See ``PublishedEncoder``; in full ViT-L.

    Raises:
        ValueError: If ``weights`` cannot be read or does not fit, or if the depth is below 4.
    """

    prefixes: ClassVar = {"encoder.": "", "": ""}
    unused = (
        r"(encoder\.)?(image_mean|image_std|backbone\.mask_token)"
        r"|(neck|points_head|mask_head|normal_head|scale_head)\..*"
    )

    def __init__(self, weights: str | Path | None = None, *, size: MoGe2Size | None = None) -> None:
        super().__init__(weights, size)

    def forward(self, image: Tensor) -> Tensor:
        """Describe ``(B, 3, H, W)`` by ``(B, D', H / 16, W / 16)``; 16 must divide both sides."""
        layers = self.backbone.layers(self.input(image), self.taps)
        pairs = zip(self.output_projections, layers, strict=True)
        return torch.stack([projection(layer) for projection, layer in pairs]).sum(0)

    def build(self, size: MoGe2Size) -> None:
        """Set the parts."""
        if size.backbone.depth < NUM_TAPS:
            raise ValueError(
                f"depth of the backbone must be at least {NUM_TAPS}, got {size.backbone.depth}"
            )
        self.width = size.projected
        self.taps = [size.backbone.depth * (tap + 1) // NUM_TAPS - 1 for tap in range(NUM_TAPS)]
        self.input = ImageInput(patch=DINO_PATCH, interpolation="bilinear", antialias=True)
        self.backbone = dino(size.backbone)
        self.output_projections = nn.ModuleList(
            nn.Conv2d(size.backbone.width, size.projected, kernel_size=1) for _ in self.taps
        )

    def draw(self) -> None:
        """Draw the weights anew."""
        self.backbone.reset_parameters()
        draw_weights(self.output_projections)

    @classmethod
    def full_size(cls) -> MoGe2Size:
        """Return ViT-L."""
        return MoGe2Size(backbone=DINOv2.full_size(), projected=1024)

    @classmethod
    def read_size(cls, state: Mapping[str, Tensor], num_heads: int | None) -> MoGe2Size:
        """Read the size off the tensors."""
        backbone = vit_size(state, prefix="backbone.", num_heads=num_heads)
        projected = side(state, "output_projections.0.weight", 0)
        return MoGe2Size(backbone=backbone, projected=projected)
