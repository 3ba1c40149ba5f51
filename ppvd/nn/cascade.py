"""CascadeDiT: the network that denoises depth in pixel space (sections III-C, III-E, III-F)."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ppvd.nn.block import Block
from ppvd.nn.condition import Condition, Stage
from ppvd.nn.demands import (
    require_above_zero,
    require_blocks,
    require_choice,
    require_features,
    require_frames,
    require_heads,
    require_image,
    require_same_size,
)
from ppvd.nn.embed import PatchEmbed
from ppvd.nn.fusion import SemanticPrompt
from ppvd.nn.grid import TokenGrid
from ppvd.nn.head import Head, Prediction
from ppvd.nn.modulation import Modulation, Modulator
from ppvd.nn.positions import rotary, sincos
from ppvd.nn.propagation import Propagation


class CascadeDiT(nn.Module):
    """A diffusion transformer in pixel space, prompted with semantics, from coarse to fine.

    Coarse tokens of ``coarse_factor * patch`` pixels pass the first ``split`` blocks; then
    `SemanticPrompt` adds the features and splits each token into ``coarse_factor**2`` fine
    ones for the other blocks; a linear head paints ``patch * patch`` pixels a token.
    The rows of Table III are configurations: ``coarse_factor=1`` has no cascade, and with
    ``semantic_width=0`` too it is the vanilla DiT, in which nothing happens at ``split``.
    Defaults are the paper's (III-F).

    `forward` composes `condition`, `modulation` and `denoise`. A sampler calls the first two
    once an image and a grid of times, and only `denoise` in each step (`velocity_field`).

    Clips are images with a frame axis, ``(B, T, ...)`` throughout: any number of frames, one
    time a clip. Frames meet in ``propagation`` and in temporal blocks, which an image without
    a frame axis passes by: on images, a network computes the same with them and without.

    Args:
        semantic_width: Channels ``D'`` of the encoder's features, 0 for none.
        width: Channels ``D`` of a token.
        depth: Number of blocks.
        num_heads: Attention heads; heads of 64 channels, as the paper's, are the fastest.
        patch: Side of a fine token in pixels.
        coarse_factor: Fine tokens along one side of a coarse one.
        split: Blocks before the fusion; None is half of ``depth``.
        mlp_ratio: Channels inside the blocks' and the fusion's MLPs over ``width``.
        positions: Rotary in each block (released image model), or a fixed sine-cosine table
            added to the coarse tokens (released video model).
        prediction: What the head puts out. Below about ``4 * (coarse_factor * patch)**2``
            channels the noise does not fit through the tokens, and the clean sample, which
            does, learns better (ours). The result of `forward` is the velocity either way.
        min_time: Floor of the time by which a clean sample's velocity is divided (ours).
        image_gain: Factor on the initial weights that embed the image (ours). The noise, four
            times as loud as the image, else drowns it for the first thousand steps or so.
        prompt_gain: Factor on the initial weights that take in the features (ours). Of unit
            length (Eq. 6), they are small beside the tokens: ``D' ** 0.5`` makes them equals.
        propagation: What frames see of reference frames; None is nothing. Without gates, it has no
            weights.
        temporal_blocks: Blocks of attention over the frames at each place, one before each of
            the last blocks (released: 3; the paper has none). They start as the identity, where
            the released ones do not: added to a trained network, they first change nothing.
        checkpoint_blocks: Last blocks whose activations are recomputed in the backward pass.

    Raises:
        ValueError: If the numbers do not fit together.
    """

    def __init__(
        self,
        semantic_width: int = 0,
        *,
        width: int = 1024,
        depth: int = 24,
        num_heads: int = 16,
        patch: int = 8,
        coarse_factor: int = 2,
        split: int | None = None,
        mlp_ratio: float = 4.0,
        positions: Literal["rotary", "sincos"] = "rotary",
        prediction: Prediction = "velocity",
        min_time: float = 0.05,
        image_gain: float = 1.0,
        prompt_gain: float = 1.0,
        propagation: Propagation | None = None,
        temporal_blocks: int = 0,
        checkpoint_blocks: int = 0,
    ) -> None:
        super().__init__()
        split = depth // 2 if split is None else split
        require_choice("positions", positions, ("rotary", "sincos"))
        require_heads(width, num_heads)
        require_blocks(depth, split, temporal=temporal_blocks, checkpoint=checkpoint_blocks)
        require_above_zero(patch=patch, coarse_factor=coarse_factor)
        require_above_zero(image_gain=image_gain, prompt_gain=prompt_gain)
        self.semantic_width, self.width, self.patch = semantic_width, width, patch
        self.divisor, self.head_dim = patch * coarse_factor, width // num_heads
        self.positions, self.propagation = positions, propagation
        fused = coarse_factor > 1 or semantic_width > 0
        self.split = split if fused else depth
        hidden = round(mlp_ratio * width)

        self.embed = PatchEmbed(width, self.divisor, image_gain=image_gain)
        self.modulator = Modulator(width, depth, num_temporal=temporal_blocks)
        first = depth
        if propagation is not None:
            first = propagation.first_block(depth, split if fused else 0)
        self.blocks = nn.ModuleList(
            Block(
                width,
                num_heads,
                hidden,
                propagation=propagation if index >= first else None,
                temporal=index >= depth - temporal_blocks,
                recompute=index >= depth - checkpoint_blocks,
            )
            for index in range(depth)
        )
        self.fusion: SemanticPrompt | None = None
        if fused:
            self.fusion = SemanticPrompt(
                width,
                semantic_width,
                factor=coarse_factor,
                hidden=hidden,
                prompt_gain=prompt_gain,
            )
        self.head = Head(width, patch, prediction=prediction, min_time=min_time)

    def reset_parameters(self) -> None:
        """Draw all weights anew; adaLN and the head start at zero (released code)."""
        for part in (self.embed, self.modulator, *self.blocks, self.fusion, self.head):
            if part is not None:
                part.reset_parameters()

    def forward(
        self, noisy: Tensor, image: Tensor, time: Tensor, features: Tensor | None = None
    ) -> Tensor:
        """Estimate the velocity at a noisy sample.

        Args:
            noisy: Noisy depth code ``x_t``, ``(B, [T,] 1, H, W)``; sides divisible by ``divisor``.
            image: sRGB colour in [0, 1], ``(B, [T,] 3, H, W)``.
            time: Path time in [0, 1], 1 is noise, ``(B,)``.
            features: The encoder's features ``(B, [T,] D', h, w)``; none where D' is 0.

        Returns:
            Velocity ``v_t``, float32, shape of ``noisy``.

        Raises:
            ValueError: If a size does not fit the network.
        """
        return self.denoise(noisy, self.condition(image, features), self.modulation(time), time)

    def condition(self, image: Tensor, features: Tensor | None = None) -> Condition:
        """Derive all that depends on the image alone; arguments and errors as in `forward`."""
        require_image(image, self.divisor)
        require_features(features, image, self.semantic_width)
        require_frames(image, self.propagation)
        grid = TokenGrid(image.shape[-2] // self.divisor, image.shape[-1] // self.divisor)
        tokens, prompt = self.embed.embed_image(image), None
        if self.positions == "sincos":
            tokens = tokens + sincos(grid, self.width, tokens.device).to(tokens.dtype)
        if features is not None and self.fusion is not None:
            prompt = self.fusion.prompt(features, grid)
        coarse = self._stage(grid, tokens.device)
        fine = self._stage(grid.split(self.divisor // self.patch), tokens.device)
        return Condition(tokens, prompt, coarse, fine)

    def modulation(self, time: Tensor) -> Modulation:
        """Return adaLN of all blocks for times in [0, 1], ``(N,)``: a batch's or a grid's."""
        modulation: Modulation = self.modulator(time)
        return modulation

    def denoise(
        self, noisy: Tensor, condition: Condition, modulation: Modulation, time: Tensor | float
    ) -> Tensor:
        """Do as `forward`, with what does not change from step to step at hand.

        ``modulation`` is that of ``time``, which is ``(B,)``, ``(1,)`` or one number.
        """
        velocity, _ = self._denoise(noisy, condition, modulation, time, tap=None)
        return velocity

    def denoise_with_tokens(
        self,
        noisy: Tensor,
        condition: Condition,
        modulation: Modulation,
        time: Tensor | float,
        *,
        tap: int,
    ) -> tuple[Tensor, Tensor]:
        """Do as `denoise`, and also return tokens after block ``tap``, ``(B, [T,] D, h, w)``.

        Raises:
            ValueError: If there is no block ``tap``.
        """
        if not 0 <= tap < len(self.blocks):
            raise ValueError(f"tap must be a block in 0..{len(self.blocks) - 1}, got {tap}")
        velocity, tokens = self._denoise(noisy, condition, modulation, time, tap=tap)
        assert tokens is not None
        return velocity, tokens

    def velocity_field(
        self, image: Tensor, features: Tensor | None, times: Sequence[float]
    ) -> Callable[[Tensor, float], Tensor]:
        """Return the field ``(x_t, t) -> v_t`` of one batch at the times of a grid.

        Args:
            image: sRGB colour in [0, 1], ``(B, [T,] 3, H, W)``.
            features: The encoder's features ``(B, [T,] D', h, w)``, or None.
            times: All times at which the field will be asked.
        """
        condition = self.condition(image, features)
        grid = torch.tensor(times, dtype=torch.float32, device=image.device)
        modulation = self.modulation(grid)
        place = {time: index for index, time in enumerate(times)}

        def field(noisy: Tensor, time: float) -> Tensor:
            return self.denoise(noisy, condition, modulation[place[time]], time)

        return field

    def _denoise(
        self,
        noisy: Tensor,
        condition: Condition,
        modulation: Modulation,
        time: Tensor | float,
        *,
        tap: int | None,
    ) -> tuple[Tensor, Tensor | None]:
        require_same_size(noisy, condition, self.divisor)
        tokens = self.embed.embed_noisy(noisy) + condition.tokens
        modulation = modulation.to(tokens.dtype)
        if condition.is_clip:
            modulation = modulation.over_frames()
        stage, tapped = condition.coarse, None
        for index, (own, before) in enumerate(modulation.blocks()):
            if index == self.split and self.fusion is not None:
                tokens, stage = self.fusion(tokens, condition.prompt), condition.fine
            tokens = self.blocks[index](tokens, own, stage, before)
            if index == tap:
                tapped = stage.grid.to_map(tokens)
        return self.head.velocity(tokens, modulation.head(), stage.grid, noisy, time), tapped

    def _stage(self, grid: TokenGrid, device: torch.device) -> Stage:
        if self.positions == "sincos":
            return Stage(grid, None)
        places = rotary(grid, self.head_dim, device)
        if self.propagation is None:
            return Stage(grid, places)
        pool = self.propagation.pool
        return Stage(grid, places, rotary(grid, self.head_dim, device, pool=pool))
