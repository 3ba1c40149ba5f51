"""A few images or frames at a time, or every few pixels: large input is read in bounded memory."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

FRAMES_AT_ONCE = 16


def in_parts(*maps: Tensor, dim: int = 0) -> Iterator[tuple[Tensor, ...]]:
    """Yield views of at most ``FRAMES_AT_ONCE`` entries of all ``maps`` along ``dim``.

    Empty maps are yielded once, so that there is a result to join.
    """
    count = maps[0].shape[dim]
    for start in range(0, max(count, 1), FRAMES_AT_ONCE):
        length = min(FRAMES_AT_ONCE, count - start)
        yield tuple(one.narrow(dim, start, length) for one in maps)


def thinned(*maps: Tensor, side: int | None) -> tuple[Tensor, ...]:
    """Return ``maps`` at the nearest pixels, so that the longer side has at most ``side`` of them.

    Args:
        *maps: Of one shape, ``(..., 1, H, W)``; bool ones too.
        side: Pixels; shorter maps are left as they are, and all are with ``None``.
    """
    longer = max(maps[0].shape[-2:])
    if side is None or longer <= side:
        return maps
    return tuple(_nearest(one, side / longer) for one in maps)


def _nearest(one: Tensor, factor: float) -> Tensor:
    numbers = one.flatten(0, -4).to(one.dtype if one.is_floating_point() else torch.uint8)
    small = F.interpolate(numbers, scale_factor=factor, mode="nearest")
    return small.reshape(*one.shape[:-2], *small.shape[-2:]).to(one.dtype)
