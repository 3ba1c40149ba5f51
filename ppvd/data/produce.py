"""From a source to the members of its samples, in as many processes as wanted, in order."""

import os
import signal
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Protocol

import cv2

from ppvd.data.encode import Sample, encode
from ppvd.data.errors import SampleError, ShardError, UnfitSampleError
from ppvd.data.manifest import LeftOut
from ppvd.data.schema import Split

# Samples in flight for each process: enough that none waits, few enough to fit in memory.
LOOK_AHEAD = 4


class SampleSource(Protocol):
    """A data set that shards can be built from: any sample by its number, always the same.

    A new data set is one class with these five members in ``ppvd/data/sources``.
    """

    @property
    def dataset(self) -> str:
        """Name of the data set."""

    @property
    def licence(self) -> str:
        """Licence of its data."""

    @property
    def sample_bytes(self) -> int:
        """About how many bytes a stored sample takes; decides how many go into a shard."""

    def describe(self) -> dict[str, object]:
        """Return, as json can carry it, all that decides what the samples are."""

    def __len__(self) -> int:
        """Return the count of samples."""

    def sample(self, index: int) -> Sample:
        """Return sample ``index``; a `SampleError` leaves it out of the set with its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """Members of one sample by name without the key, and frames that are not in it."""

    key: str
    members: dict[str, bytes]
    left_out: tuple[LeftOut, ...] = ()


def produce(
    source: SampleSource, indices: Iterable[int], *, split: Split, num_workers: int
) -> Generator[Produced | LeftOut, None, None]:
    """Yield the encoded samples ``indices`` in this order.

    Args:
        source: Where the samples come from; it must be picklable for more than one process.
        indices: Numbers of the samples.
        split: Split they are for; a training sample without valid depth is left out.
        num_workers: Processes; 1 works in this one.

    Raises:
        ShardError: If a process dies.
    """
    if num_workers == 1:
        yield from (_produce_one(source, index, split) for index in indices)
        return
    # Spawned rather than forked: nothing of this process's threads and locks is inherited.
    # The source goes to each process once: a listing of files can be long.
    pool = ProcessPoolExecutor(num_workers, get_context("spawn"), _settle, (source,))
    waiting: deque[Future[Produced | LeftOut]] = deque()
    try:
        for index in indices:
            waiting.append(pool.submit(_produce_here, index, split))
            if len(waiting) >= LOOK_AHEAD * num_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise ShardError(
            "a building process was killed, perhaps for want of memory: run the same command again"
            " with fewer workers, it goes on where it stopped"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _produce_one(source: SampleSource, index: int, split: Split) -> Produced | LeftOut:
    key = f"{source.dataset}[{index}]"
    try:
        sample = source.sample(index)
        key = sample.key
        if split == "train" and not any(frame.valid.any() for frame in sample.frames):
            raise SampleError("a training sample must have valid depth, got none")
        members = encode(sample, dataset=source.dataset, split=split, licence=source.licence)
    except SampleError as error:
        key = error.key if isinstance(error, UnfitSampleError) else key
        return LeftOut(key=key, reason=str(error))
    return Produced(key=key, members=members, left_out=sample.left_out)


_settled: list[SampleSource] = []


def _produce_here(index: int, split: Split) -> Produced | LeftOut:
    return _produce_one(_settled[-1], index, split)


def _settle(source: SampleSource) -> None:
    """Keep the source; leave Ctrl-C to the parent and the cores to others; end with the parent."""
    _settled.append(source)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """Wait until the parent is gone; one that was killed cannot tell its workers to stop."""
    parent = parent_process()
    assert parent is not None, "only a worker settles"
    parent.join()
    os._exit(1)
