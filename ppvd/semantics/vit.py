"""A plain vision transformer that carries the weights of DINOv2 under their published names."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ppvd.semantics.vit_block import INIT_STD, NORM_EPS, Block, draw_weights


class PatchEmbed(nn.Module):
    """Turn each patch of pixels into one token.

    Args:
        width: Channels ``D`` of a token.
        patch: Side of a patch in pixels.
    """

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=patch, stride=patch)

    def forward(self, image: Tensor) -> Tensor:
        """Return the grid of tokens ``(B, D, h, w)`` of ``(B, 3, H, W)``."""
        grid: Tensor = self.proj(image)
        return grid


class ViT(nn.Module):
    """A vision transformer of the DINOv2 family, for any image whose sides its patch divides.

    ``load_state_dict`` takes a published DINOv2 file strictly: same names, same shapes. Its
    ``mask_token``, which serves masked training alone, is passed over.

    Args:
        width: Channels ``D`` of a token.
        depth: Number of blocks.
        num_heads: Attention heads of a block; must divide ``width``.
        patch: Side of a patch in pixels.
        grid: Side, in patches, of the square table of learned positions; other grids of patches
            get theirs by bicubic interpolation. DINOv2: 37.
        mlp_ratio: Hidden channels of the MLPs in units of ``width``.
        num_registers: Register tokens, which have no position. DINOv2 with registers: 4.
        layer_scale: Initial gain of the residual branches; ``None`` leaves the gains out (MAE).
        offset: Added to the wanted number of patches when the table is interpolated by a factor.
            The released DINOv2 without registers, Depth Anything V2 and MoGe2 have 0.1; with 0
            the table is interpolated to the wanted size (with registers, Pi3, VGGT).
        antialias: Whether a table that shrinks is smoothed. Released: true with registers.
    """

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        num_heads: int,
        patch: int,
        grid: int,
        mlp_ratio: float = 4.0,
        num_registers: int = 0,
        layer_scale: float | None = 1.0,
        offset: float = 0.0,
        antialias: bool = True,
    ) -> None:
        super().__init__()
        self.width = width
        self.patch = patch
        self.grid = grid
        self.num_registers = num_registers
        self.offset = offset
        self.antialias = antialias
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Parameter(torch.empty(1, 1 + grid * grid, width))
        if num_registers:
            self.register_tokens = nn.Parameter(torch.empty(1, num_registers, width))
        self.patch_embed = PatchEmbed(width, patch)
        self.blocks = nn.ModuleList(
            Block(width, num_heads, mlp_ratio=mlp_ratio, layer_scale=layer_scale)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]
            _pass_over_mask_token
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw fresh weights as `draw_weights` does, and the tables likewise."""
        for name, parameter in self.named_parameters(recurse=False):
            nn.init.trunc_normal_(parameter, std=1e-6 if name == "cls_token" else INIT_STD)
        draw_weights(self)

    def forward(self, image: Tensor) -> Tensor:
        """Describe a normalised image by one feature for each patch.

        Args:
            image: Normalised colour, ``(B, 3, H, W)``, both sides divisible by the patch.

        Returns:
            Patch tokens after the last norm, ``(B, D, H / patch, W / patch)``.

        Raises:
            ValueError: If the patch does not divide the image.
        """
        return self._to_map(self.tokens(image), image)

    def layers(self, image: Tensor, taps: Sequence[int]) -> list[Tensor]:
        """Describe a normalised image as several blocks see it.

        Args:
            image: Normalised colour, ``(B, 3, H, W)``, both sides divisible by the patch.
            taps: Blocks, counted from 0, in rising order.

        Returns:
            For each tap the patch tokens after that block and the *last* norm (as released),
            ``(B, D, H / patch, W / patch)``.

        Raises:
            ValueError: If the patch does not divide the image.
        """
        tokens, maps = self._embed(image), []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in taps:
                maps.append(self._to_map(self.norm(tokens), image))
        return maps

    def tokens(self, image: Tensor) -> Tensor:
        """Return all tokens after the last norm: class, registers, then patches row by row.

        Args:
            image: Normalised colour, ``(B, 3, H, W)``, both sides divisible by the patch.

        Returns:
            Tokens ``(B, 1 + num_registers + h * w, D)``.

        Raises:
            ValueError: If the patch does not divide the image.
        """
        tokens = self._embed(image)
        for block in self.blocks:
            tokens = block(tokens)
        described: Tensor = self.norm(tokens)
        return described

    def _to_map(self, tokens: Tensor, image: Tensor) -> Tensor:
        """Lay the patch tokens of an image out as a map."""
        height, width = (side // self.patch for side in image.shape[-2:])
        patches = tokens[:, 1 + self.num_registers :]
        return patches.transpose(1, 2).reshape(len(tokens), self.width, height, width)

    def _embed(self, image: Tensor) -> Tensor:
        for name, side in zip(("height", "width"), image.shape[-2:], strict=True):
            if side % self.patch:
                raise ValueError(f"image {name} must be divisible by {self.patch}, got {side}")
        grid: Tensor = self.patch_embed(image)
        batch, _, height, width = grid.shape
        patches = grid.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(batch, -1, -1), patches], dim=1)
        tokens = tokens + self.positions(height, width)
        if not self.num_registers:
            return tokens
        registers = self.register_tokens.expand(batch, -1, -1)
        return torch.cat([tokens[:, :1], registers, tokens[:, 1:]], dim=1)

    def positions(self, height: int, width: int) -> Tensor:
        """Return the positions of the class token and of a grid of patches.

        Args:
            height: Rows of patches.
            width: Patches in a row.

        Returns:
            ``(1, 1 + height * width, D)``, bicubic between the entries of the learned table.
        """
        if (height, width) == (self.grid, self.grid):
            return self.pos_embed
        table = self.pos_embed[:, 1:].transpose(1, 2)
        table = table.reshape(1, self.width, self.grid, self.grid)
        wanted: dict[str, Any] = {"size": (height, width)}
        if self.offset:
            factors = tuple((side + self.offset) / self.grid for side in (height, width))
            wanted = {"scale_factor": factors}
        table = F.interpolate(table.float(), mode="bicubic", antialias=self.antialias, **wanted)
        patches = table.flatten(2).transpose(1, 2).to(self.pos_embed.dtype)
        return torch.cat([self.pos_embed[:, :1], patches], dim=1)


def _pass_over_mask_token(
    module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    if not hasattr(module, "mask_token"):
        state.pop(f"{prefix}mask_token", None)
