"""VGGT: frames of a scene as the first of them sees it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from ppvd.semantics.published_vit import dino
from ppvd.semantics.size import ViTSize, count, vit_size
from ppvd.semantics.views import ViewMixer, ViewSize, mixing_blocks, special_tokens
from ppvd.semantics.vit import ViT

MIX_EPS = 1e-5
"""Added to the variance of tokens in the blocks that mix frames (released; others: 1e-6)."""

NUM_REGISTERS = 4
"""Special tokens of a frame besides the one of its camera (released)."""


class VGGT(ViewMixer):
    """VGGT's aggregator (Table V), without its heads.

    The first frame has a camera token and register tokens of its own; the others share theirs.
    The released PPVD has no VGGT; what is taken of it follows what that takes of pi3.

    Args:
        weights: VGGT-1B's ``model.pt`` or ``model.safetensors``.
        size: See ``PublishedEncoder``; in full ViT-L and 24 pairs of blocks.

    Raises:
        ValueError: If ``weights`` cannot be read or does not fit.
    """

    prefixes: ClassVar = {"aggregator.": "", "": ""}
    unused = r"(aggregator\.)?patch_embed\.mask_token|(camera|point|depth|track)_head\..*"

    def __init__(self, weights: str | Path | None = None, *, size: ViewSize | None = None) -> None:
        super().__init__(weights, size)

    def build(self, size: ViewSize) -> None:
        """Set the parts."""
        super().build(size)
        self.patch_embed = dino(size.backbone)
        self.frame_blocks = mixing_blocks(size.backbone, size.num_pairs, eps=MIX_EPS)
        self.global_blocks = mixing_blocks(size.backbone, size.num_pairs, eps=MIX_EPS)
        self.camera_token = special_tokens(1, 2, 1, size.backbone.width)
        self.register_token = special_tokens(1, 2, NUM_REGISTERS, size.backbone.width)

    @property
    def vit(self) -> ViT:
        """The transformer that describes each frame."""
        return self.patch_embed

    @property
    def pairs(self) -> Iterable[tuple[nn.Module, nn.Module]]:
        """Blocks within frames and across them, in order."""
        return zip(self.frame_blocks, self.global_blocks, strict=True)

    def special(self, num_frames: int) -> Tensor:
        """Return camera and register tokens of each frame, ``(1, T, 5, D)``."""
        both = torch.cat([self.camera_token, self.register_token], dim=2)
        others = both[:, 1:].expand(-1, num_frames - 1, -1, -1)
        return torch.cat([both[:, :1], others], dim=1)

    @classmethod
    def full_size(cls) -> ViewSize:
        """Return the size of the published file."""
        backbone = ViTSize(width=1024, depth=24, num_heads=16, grid=37, num_registers=4)
        return ViewSize(backbone=backbone, num_pairs=24)

    @classmethod
    def read_size(cls, state: Mapping[str, Tensor], num_heads: int | None) -> ViewSize:
        """Read the size off the tensors."""
        backbone = vit_size(state, prefix="patch_embed.", num_heads=num_heads)
        return ViewSize(backbone=backbone, num_pairs=count(state, "frame_blocks."))
