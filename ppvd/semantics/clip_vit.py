"""A small encoder that sees clips: it stands in for pi3 and VGGT where none can be had."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ppvd.nn import Rotary, TokenGrid
from ppvd.semantics.base import SemanticEncoder
from ppvd.semantics.checkpoint import load_strictly
from ppvd.semantics.image_input import ImageInput
from ppvd.semantics.size import ViTSize
from ppvd.semantics.views import mixing_blocks, places
from ppvd.semantics.vit import ViT
from ppvd.semantics.vit_block import draw_weights


class ClipMixer(nn.Module):
    """A ViT describes each frame, then the frames of a clip listen to each other.

    As in pi3, blocks take turns: attention within each frame, attention over all tokens of the
    clip; and nothing tells the order of the frames. Their gains start at 0.01 (released pi3), so
    that an untrained mixer passes on what the ViT says.

    Args:
        vit: Describes each frame.
        num_heads: Attention heads of the mixing blocks; must divide the ViT's width.
        num_pairs: Pairs of a block within frames and a block across them.

    Raises:
        ValueError: If there is no pair.
    """

    def __init__(self, vit: ViT, *, num_heads: int, num_pairs: int) -> None:
        super().__init__()
        if num_pairs < 1:
            raise ValueError(f"num_pairs must be at least 1, got {num_pairs}")
        self.vit = vit
        self.head_dim = vit.width // num_heads
        size = ViTSize(width=vit.width, depth=1, num_heads=num_heads, grid=vit.grid)
        self.mixer = mixing_blocks(size, 2 * num_pairs)

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        self.vit.reset_parameters()
        draw_weights(self.mixer)

    def forward(self, clip: Tensor) -> Tensor:
        """Describe normalised clips ``(B, T, 3, H, W)`` by features ``(B, T, 2 D, h, w)``."""
        batch, num_frames = clip.shape[:2]
        maps: Tensor = self.vit(clip.flatten(0, 1))
        grid = TokenGrid(maps.shape[-2], maps.shape[-1])
        tokens = maps.flatten(2).transpose(1, 2).reshape(batch, num_frames, grid.num_tokens, -1)
        frame = places(grid, 0, self.head_dim, maps.device)
        whole = Rotary(*(table.repeat(num_frames, 1, 1) for table in (frame.cos, frame.sin)))
        blocks, within = list(self.mixer), tokens
        for inner, outer in zip(blocks[::2], blocks[1::2], strict=True):
            within = inner(tokens.flatten(0, 1), frame).view_as(tokens)
            tokens = outer(within.flatten(1, 2), whole).view_as(tokens)
        mixed = torch.cat([within, tokens], dim=-1).transpose(2, 3)
        return mixed.reshape(batch, num_frames, -1, grid.height, grid.width)


class ClipEncoder(SemanticEncoder):
    """Describe the frames of a clip by a `ClipMixer`: small semantics for SC-DiT (ours).

    Args:
        backbone: Describes each frame.
        num_heads: Attention heads of the mixing blocks.
        num_pairs: Pairs of a block within frames and a block across them.
        weights: File that fills the mixer with its backbone, strictly: a checkpoint of a run
            that trained it. ``None`` leaves the weights as drawn.
        backbone_weights: File that fills the backbone alone, where ``weights`` is ``None``.

    Attributes:
        width: Channels of the features, twice those of the backbone.
        cell: Side, in pixels, of what one token describes: the backbone's patch.

    Raises:
        ValueError: If a file does not fit, or there is no pair.
    """

    sees_clips = True

    def __init__(
        self,
        backbone: ViT,
        *,
        num_heads: int = 4,
        num_pairs: int = 1,
        weights: str | Path | None = None,
        backbone_weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.mixer = ClipMixer(backbone, num_heads=num_heads, num_pairs=num_pairs)
        self.width, self.cell = 2 * backbone.width, backbone.patch
        self.weights, self.backbone_weights = weights, backbone_weights
        self.input = ImageInput(patch=backbone.patch, cell=backbone.patch)
        self._fill()

    def reset_parameters(self) -> None:
        """Fill the weights from the files, or draw them where there are none."""
        self.input.reset_parameters()
        self.mixer.reset_parameters()
        self._fill()

    def forward(self, image: Tensor) -> Tensor:
        """Describe clips.

        Args:
            image: sRGB colour in [0, 1], ``(B, T, 3, H, W)``, both sides divisible by ``cell``.

        Returns:
            Features ``(B, T, D', H / cell, W / cell)``.

        Raises:
            ValueError: If it is no clip, or ``cell`` does not divide a side.
        """
        if image.ndim != 5:
            raise ValueError(f"image must be a clip (B, T, 3, H, W), got {tuple(image.shape)}")
        frames = self.input(image.flatten(0, 1))
        features: Tensor = self.mixer(frames.view(*image.shape[:2], *frames.shape[1:]))
        return features

    def _fill(self) -> None:
        if self.mixer.vit.cls_token.is_meta:
            return
        if self.weights is not None:
            load_strictly(self.mixer, self.weights)
        elif self.backbone_weights is not None:
            load_strictly(self.mixer.vit, self.backbone_weights)
