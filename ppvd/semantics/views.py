"""Several frames of a scene that describe each other: what pi3 and VGGT have in common."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from ppvd.nn import Rotary, TokenGrid, rotary
from ppvd.semantics.image_input import ImageInput
from ppvd.semantics.published import PublishedEncoder
from ppvd.semantics.published_vit import DINO_PATCH
from ppvd.semantics.size import ViTSize
from ppvd.semantics.vit import ViT
from ppvd.semantics.vit_block import NORM_EPS, Block, draw_weights

INITIAL_GAIN = 0.01  # of a residual branch; released
SPECIAL_STD = 1e-6  # released


@dataclass(frozen=True, kw_only=True)
class ViewSize:
    """Numbers by which encoders of several frames differ.

    Args:
        backbone: The DINOv2 that describes each frame; its width and heads are the mixer's.
        num_pairs: Pairs of a block within frames and a block across them.
    """

    backbone: ViTSize
    num_pairs: int


class ViewMixer(PublishedEncoder[ViewSize]):
    """Describe each frame by itself, then let the frames of a clip listen to each other.

    A DINOv2 describes each frame, resized by 14/16, bilinear and unsmoothed. Special tokens go
    before its patch tokens. Then blocks take turns: attention within each frame, attention over
    all tokens of the clip. The two outputs of the last pair, the inner one first, are the
    features; no norm follows, and the special tokens go.

    A patch has its row and column as rotary position, from (1, 1); special tokens have (0, 0).
    Frames have none: nothing tells their order but what the special tokens say.

    A subclass says what its special tokens are and under which names its blocks lie.

    Raises:
        ValueError: If ``weights`` cannot be read or does not fit, or without any pair.
    """

    sees_clips = True

    def forward(self, image: Tensor) -> Tensor:
        """Describe a clip.

        Args:
            image: sRGB colour in [0, 1], ``(B, T, 3, H, W)``, both sides divisible by 16.

        Returns:
            Features ``(B, T, 2 D, H / 16, W / 16)`` for blocks of ``D`` channels.

        Raises:
            ValueError: If it is no clip, or 16 does not divide a side.
        """
        if image.ndim != 5:
            raise ValueError(f"image must be a clip (B, T, 3, H, W), got {tuple(image.shape)}")
        batch, num_frames = image.shape[:2]
        maps = self.vit(self.input(image.flatten(0, 1)))  # (B T, D, h, w)
        grid = TokenGrid(maps.shape[-2], maps.shape[-1])
        patches = maps.flatten(2).transpose(1, 2).view(batch, num_frames, grid.num_tokens, -1)
        special = self.special(num_frames).expand(batch, -1, -1, -1)
        mixed = self._mix(torch.cat([special, patches], dim=2), grid)[:, :, special.shape[2] :]
        return mixed.transpose(2, 3).reshape(batch, num_frames, -1, grid.height, grid.width)

    def build(self, size: ViewSize) -> None:
        """Set what all have; a subclass goes on from here."""
        if size.num_pairs < 1:
            raise ValueError(f"num_pairs must be at least 1, got {size.num_pairs}")
        self.width = 2 * size.backbone.width
        self.head_dim = size.backbone.width // size.backbone.num_heads
        self.input = ImageInput(patch=DINO_PATCH, interpolation="bilinear")

    @property
    @abstractmethod
    def vit(self) -> ViT:
        """The transformer that describes each frame."""

    @property
    @abstractmethod
    def pairs(self) -> Iterable[tuple[nn.Module, nn.Module]]:
        """Blocks within frames and across them, in order."""

    def draw(self) -> None:
        """Draw the weights anew."""
        self.vit.reset_parameters()
        for block in chain.from_iterable(self.pairs):
            draw_weights(block)
        for token in self.parameters(recurse=False):
            nn.init.normal_(token, std=SPECIAL_STD)

    @abstractmethod
    def special(self, num_frames: int) -> Tensor:
        """Return the special tokens of each frame, ``(1, T, S, D)``."""

    def _mix(self, tokens: Tensor, grid: TokenGrid) -> Tensor:
        """Refine ``(B, T, S + h w, D)`` and return the last pair's outputs, ``2 D`` channels."""
        frame = places(grid, tokens.shape[2] - grid.num_tokens, self.head_dim, tokens.device)
        clip = Rotary(*(table.repeat(tokens.shape[1], 1, 1) for table in (frame.cos, frame.sin)))
        within = tokens
        for inner, outer in self.pairs:
            within = inner(tokens.flatten(0, 1), frame)
            tokens = outer(within.view_as(tokens).flatten(1, 2), clip).view_as(tokens)
        return torch.cat([within.view_as(tokens), tokens], dim=-1)


def mixing_blocks(size: ViTSize, num_blocks: int, *, eps: float = NORM_EPS) -> nn.ModuleList:
    """Build blocks that mix frames: normalised heads, gains that start at 0.01 (released)."""
    return nn.ModuleList(
        Block(size.width, size.num_heads, layer_scale=INITIAL_GAIN, norm_heads=True, eps=eps)
        for _ in range(num_blocks)
    )


def special_tokens(*shape: int) -> nn.Parameter:
    """Make special tokens, drawn with a deviation of 1e-6 (released)."""
    return nn.Parameter(torch.empty(shape).normal_(std=SPECIAL_STD))


def places(grid: TokenGrid, num_special: int, head_dim: int, device: torch.device) -> Rotary:
    """Return the rotations of special tokens at (0, 0) and of patches from (1, 1) on."""
    larger = TokenGrid(grid.height + 1, grid.width + 1)
    table = rotary(larger, head_dim, device)

    def pick(angles: Tensor) -> Tensor:
        patches = angles.view(larger.height, larger.width, 1, -1)[1:, 1:].flatten(0, 1)
        return torch.cat([angles[:1].expand(num_special, -1, -1), patches])

    return Rotary(pick(table.cos), pick(table.sin))
