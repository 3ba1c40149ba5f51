"""pi3: frames of a scene in any order, none of them special."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from ppvd.semantics.published_vit import dino
from ppvd.semantics.size import ViTSize, count, vit_size
from ppvd.semantics.views import ViewMixer, ViewSize, mixing_blocks, special_tokens
from ppvd.semantics.vit import ViT

NUM_SPECIAL = 5
"""Special tokens of a frame (released)."""


class Pi3(ViewMixer):
    """pi3 (released PPVD, Table V), without its decoders and heads of points and cameras.

    Every frame has the same five special tokens, so the order of the frames does not matter.

    Args:
        weights: pi3's ``model.safetensors``. Its licence forbids commercial use.
        size: See ``PublishedEncoder``; in full ViT-L and 18 pairs of blocks.

    Raises:
        ValueError: If ``weights`` cannot be read or does not fit.
    """

    prefixes: ClassVar = {"": ""}
    unused = (
        r"image_mean|image_std|encoder\.mask_token"
        r"|(point|conf|camera)_(decoder|head)\..*"
    )

    def __init__(self, weights: str | Path | None = None, *, size: ViewSize | None = None) -> None:
        super().__init__(weights, size)

    def build(self, size: ViewSize) -> None:
        """Set the parts."""
        super().build(size)
        self.encoder = dino(size.backbone)
        self.decoder = mixing_blocks(size.backbone, 2 * size.num_pairs)
        self.register_token = special_tokens(1, 1, NUM_SPECIAL, size.backbone.width)

    @property
    def vit(self) -> ViT:
        """The transformer that describes each frame."""
        return self.encoder

    @property
    def pairs(self) -> Iterable[tuple[nn.Module, nn.Module]]:
        """Blocks of even place attend within frames, those of odd place across them."""
        blocks = list(self.decoder)
        return zip(blocks[::2], blocks[1::2], strict=True)

    def special(self, num_frames: int) -> Tensor:
        """Return the special tokens of each frame, ``(1, T, 5, D)``."""
        return self.register_token.expand(-1, num_frames, -1, -1)

    @classmethod
    def full_size(cls) -> ViewSize:
        """Return the size of the published file."""
        backbone = ViTSize(width=1024, depth=24, num_heads=16, grid=37, num_registers=4)
        return ViewSize(backbone=backbone, num_pairs=18)

    @classmethod
    def read_size(cls, state: Mapping[str, Tensor], num_heads: int | None) -> ViewSize:
        """Read the size off the tensors."""
        backbone = vit_size(state, prefix="encoder.", num_heads=num_heads)
        return ViewSize(backbone=backbone, num_pairs=count(state, "decoder.") // 2)
