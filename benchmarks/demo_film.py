"""A walk as a video file, and as a film of what models make of it."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ppvd.data import Frame
from ppvd.data.sources.synthetic import render_clip
from ppvd.geometry import Alignment, colourise, masked_quantiles
from ppvd.geometry.align import Space
from ppvd.video.encode import COLOUR_ENCODING, encode

SEED, NUM_FRAMES, FPS = 987_654_321, 72, 12  # No shard of the demo has this seed.
ENLARGED = 4


def write_walk(path: Path, *, side: int) -> None:
    """Write a walk that training has not seen as a video of so many pixels each way."""
    _write(path, np.stack([frame.image for frame in _walk(side)]))


def write_comparison(path: Path, depths: Mapping[Path, Space], *, side: int) -> None:
    """Write image, truth, and the depth of each model beside each other.

    Each model is aligned by one scale and shift, and painted in the colours of the truth.

    Args:
        path: Where to.
        depths: Files that ``ppvd depth --write npz`` made of the walk, with the space in which
            each model is right up to scale and shift.
        side: As the walk was written.
    """
    frames = _walk(side)
    truth = torch.from_numpy(np.stack([frame.depth for frame in frames]))[:, None]
    valid = torch.from_numpy(np.stack([frame.valid for frame in frames]))[:, None]
    maps = [truth, *(_aligned(*given, truth, valid) for given in depths.items())]
    low, high = masked_quantiles(truth.where(valid, 1.0).log()[None], valid[None], (0.02, 0.98))
    limits = low.reshape(1, 1, 1, 1), high.reshape(1, 1, 1, 1)
    colours = [colourise(depth.clamp_min(1e-6).log(), limits=limits) for depth in maps]
    pictures = [frame.image for frame in frames]
    film = torch.cat([torch.from_numpy(np.stack(pictures)).movedim(-1, 1), *colours], dim=-1)
    _write(path, film.movedim(1, -1).numpy().repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2))


def _walk(side: int) -> list[Frame]:
    return render_clip(SEED, num_frames=NUM_FRAMES, size=(side, side), fps=FPS, world="yard")


def _aligned(path: Path, space: Space, truth: Tensor, valid: Tensor) -> Tensor:
    with np.load(path) as arrays:
        depth = torch.from_numpy(arrays["depth"])[:, None]
    code = depth.reciprocal() if space == "disparity" else depth.log1p()
    return Alignment(space=space)(code[None], truth[None], valid[None])[0].float()


def _write(path: Path, pictures: np.ndarray) -> None:
    frames = ((picture, Fraction(number, FPS)) for number, picture in enumerate(pictures))
    encode(path, frames, encoding=COLOUR_ENCODING, rate=Fraction(FPS))
