"""A few images or frames at a time: long videos are read in bounded memory."""

from collections.abc import Iterator

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
