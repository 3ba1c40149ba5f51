"""A walk as a video file, and as a film of what models make of it."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ppvd.data import Frame
from ppvd.data.sources.synthetic import render_clip
from ppvd.geometry import Alignment, colourise, masked_quantiles
from ppvd.metrics import temporal_gradient_error
from ppvd.video.encode import COLOUR_ENCODING, encode

SEED, NUM_FRAMES, FPS = 987_654_321, 72, 12  # No shard of the demo has this seed.
ENLARGED = 4


def write_walk(path: Path, *, side: int) -> None:
    """Write a walk that training has not seen as a video of so many pixels each way."""
    _write(path, np.stack([frame.image for frame in _walk(side)]))


def write_comparison(path: Path, depths: Sequence[Path], *, side: int) -> list[float]:
    """Write image, truth, and the depth of each model beside each other.

    Each model is aligned by one scale and shift of its disparity, and painted in the colours of
    the truth.

    Args:
        path: Where to.
        depths: Files that ``ppvd depth --write npz`` made of the walk.
        side: As the walk was written.

    Returns:
        Each model's ``temporal_gradient_error``, metres.
    """
    frames = _walk(side)
    truth = torch.from_numpy(np.stack([frame.depth for frame in frames]))[:, None]
    valid = torch.from_numpy(np.stack([frame.valid for frame in frames]))[:, None]
    aligned = [_aligned(depth, truth, valid) for depth in depths]
    low, high = masked_quantiles(truth.where(valid, 1.0).log()[None], valid[None], (0.02, 0.98))
    limits = low.reshape(1, 1, 1, 1), high.reshape(1, 1, 1, 1)
    maps = [truth.where(valid, truth[valid].max()), *aligned]
    colours = [colourise(depth.clamp_min(1e-6).log(), limits=limits) for depth in maps]
    pictures = np.stack([frame.image for frame in frames])
    film = torch.cat([torch.from_numpy(pictures).movedim(-1, 1), *colours], dim=-1)
    _write(path, film.movedim(1, -1).numpy().repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2))
    return [temporal_gradient_error(depth, truth, valid).item() for depth in aligned]


def _walk(side: int) -> list[Frame]:
    return render_clip(SEED, num_frames=NUM_FRAMES, size=(side, side), fps=FPS, world="walk")


def _aligned(path: Path, truth: Tensor, valid: Tensor) -> Tensor:
    with np.load(path) as arrays:
        depth = torch.from_numpy(arrays["depth"])[:, None]
    alignment = Alignment(space="disparity")
    return alignment(depth.reciprocal()[None], truth[None], valid[None])[0].float()


def _write(path: Path, pictures: np.ndarray) -> None:
    frames = ((picture, Fraction(number, FPS)) for number, picture in enumerate(pictures))
    encode(path, frames, encoding=COLOUR_ENCODING, rate=Fraction(FPS))
