"""Who reads what: plans made of numbers alone.

Nothing here holds state. A plan is a function of seed, epoch, rank and worker, so a run that was
killed can be continued from two counters, and no rank needs to tell another what it has read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One of ``world * num_workers`` processes that read at the same time.

    Attributes:
        rank: Number of the training process.
        world: Count of training processes.
        worker: Number of the loader's process within its rank.
        num_workers: Count of loader processes a rank, at least 1.
    """

    rank: int = 0
    world: int = 1
    worker: int = 0
    num_workers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Samples ``start <= number < stop`` of one shard."""

    shard: int
    start: int
    stop: int


def pieces(
    counts: Sequence[int], *, start: int, stop: int, seed: Sequence[int] | None = None
) -> Iterator[Piece]:
    """Yield the pieces of shards that make up one interval of an endless stream of passes.

    The stream is the set over and over again; each pass takes the shards in another order. An
    interval may begin and end inside a shard, so there may be more readers than shards, and each
    reader gets exactly as many samples as it asks for.

    Args:
        counts: Samples of each shard.
        start: First sample of the interval, counted from the stream's beginning.
        stop: Sample after the last.
        seed: Numbers that fix the shards' order together with the pass; None keeps the manifest's
            order in every pass.

    Raises:
        ValueError: If there is no sample to yield.
    """
    total = sum(counts)
    if total < 1:
        raise ValueError(f"counts must hold at least one sample, got {list(counts)}")
    for turn in range(start // total, -(-stop // total)):
        order = range(len(counts)) if seed is None else _order(len(counts), [*seed, turn])
        for shard, end in zip(order, accumulate(counts[shard] for shard in order), strict=True):
            begin = turn * total + end - counts[shard]
            first, last = max(start - begin, 0), min(stop - begin, counts[shard])
            if first < last:
                yield Piece(shard=int(shard), start=first, stop=last)


def _order(count: int, seed: Sequence[int]) -> list[int]:
    return [int(shard) for shard in np.random.default_rng(seed).permutation(count)]


def capped(counts: Sequence[int], num_samples: int | None) -> list[int]:
    """Return ``counts`` of shards cut so that they add up to at most ``num_samples``."""
    if num_samples is None:
        return list(counts)
    ends = [min(end, num_samples) for end in accumulate(counts)]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def share(total: int, reader: Reader) -> range:
    """Return the samples of an evaluation that fall to ``reader``: all once, none twice."""
    slot, num_slots = reader.rank * reader.num_workers + reader.worker, _num_slots(reader)
    return range(slot * total // num_slots, (slot + 1) * total // num_slots)


def _num_slots(reader: Reader) -> int:
    return reader.world * reader.num_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochPlan:
    """What one reader does in one training epoch.

    Attributes:
        batches: Source of each draw, ``(num_batches of this reader, batch_size)``.
        numbers: Number of each draw within the epoch, shape of ``batches``; it seeds the
            augmentation and depends on no count of workers.
        intervals: First and last-plus-one sample of each source's endless stream that fall to
            this reader.
    """

    batches: np.ndarray
    numbers: np.ndarray
    intervals: tuple[tuple[int, int], ...]


def plan_epoch(draws: np.ndarray, *, num_sources: int, epoch: int, reader: Reader) -> EpochPlan:
    """Deal an epoch's draws to the readers and give each its own stretch of every source.

    Batch ``b`` of a rank is made by worker ``b % num_workers``. Sources are read on from where the
    epoch before ended, so each sample of a source is used before any is used again.

    Args:
        draws: Source of each draw of the epoch, ``(num_batches, world, batch_size)``; every epoch
            must draw each source equally often.
        num_sources: Count of sources.
        epoch: Number of the epoch, from 0.
        reader: Who asks.
    """
    share_of = [
        np.bincount(draws[worker :: reader.num_workers, rank].ravel(), minlength=num_sources)
        for rank in range(reader.world)
        for worker in range(reader.num_workers)
    ]
    per_epoch = np.sum(share_of, axis=0)
    slot = reader.rank * reader.num_workers + reader.worker
    begin = epoch * per_epoch + np.sum(share_of[:slot], axis=0, dtype=np.int64)
    end = begin + share_of[slot]
    numbers = np.arange(draws.size).reshape(draws.shape)
    own = (slice(reader.worker, None, reader.num_workers), reader.rank)
    return EpochPlan(
        batches=draws[own],
        numbers=numbers[own],
        intervals=tuple(zip(begin.tolist(), end.tolist(), strict=True)),
    )
