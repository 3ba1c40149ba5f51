"""Shuffling undecoded samples, and going on in the middle of what a seed has shuffled."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, repeat
from random import Random
from typing import TypeVar

import webdataset

from ppvd.data.budget import read_pieces
from ppvd.data.decode import RawSample
from ppvd.data.errors import ShardError
from ppvd.data.plan import Piece
from ppvd.data.source import ShardSet

Item = TypeVar("Item")


def read_shuffled(
    shards: ShardSet,
    plan: Sequence[Piece],
    *,
    buffer: int,
    seed: str,
    on_bad: Callable[[ShardError, int], object],
    num_taken: int = 0,
) -> Iterator[RawSample]:
    """Yield the samples of ``plan`` in an order of chance, without the first ``num_taken`` of it.

    Where each sample goes depends on its place alone, so the order is known before anything is
    read: of those taken, only the ones behind the first that is still owed are read again.

    Args:
        shards: Set to read.
        plan: What to read of it.
        buffer: Samples held back to shuffle among.
        seed: Fixes the order.
        on_bad: See `read_pieces`. A bad sample changes the order behind it, so the samples yielded
            are those of an uninterrupted reading only as long as there is none.
        num_taken: Samples to leave out, as an earlier reading has yielded them.
    """
    num_unread = 0
    if num_taken > 0:
        places = range(sum(piece.stop - piece.start for piece in plan))
        owed = islice(_shuffle(iter(places), buffer=buffer, seed=seed), num_taken, None)
        num_unread = min(owed, default=len(places))
    unread: Iterator[RawSample | None] = repeat(None, num_unread)
    read = read_pieces(shards, without_first(plan, num_unread), on_bad=on_bad)
    shuffled = _shuffle(chain(unread, read), buffer=buffer, seed=seed)
    for raw in islice(shuffled, num_taken, None):
        assert raw is not None, "everything from the first sample owed on is read"
        yield raw


def without_first(plan: Sequence[Piece], count: int) -> list[Piece]:
    """Return what is left of ``plan`` behind its first ``count`` samples."""
    left = []
    for piece in plan:
        skipped = min(count, piece.stop - piece.start)
        count -= skipped
        if piece.start + skipped < piece.stop:
            left.append(replace(piece, start=piece.start + skipped))
    return left


def _shuffle(items: Iterator[Item], *, buffer: int, seed: str) -> Iterator[Item]:
    shuffled: Iterator[Item] = webdataset.shuffle(buffer, initial=buffer, rng=Random(seed))(items)
    return shuffled
