"""The loader that Lightning iterates: sized, restartable, the same for training and evaluation."""

from collections.abc import Iterator

import cv2
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ppvd.batch import DepthBatch
from ppvd.data.plan import Reader
from ppvd.data.stream import Stream


class StreamDataset(IterableDataset[DepthBatch]):
    """A stream behind PyTorch's loader: finds out which reader it is.

    Args:
        stream: What to read.
        rank: Number of this training process.
        world: Count of training processes.
    """

    def __init__(self, stream: Stream, *, rank: int, world: int) -> None:
        self.stream = stream
        self.rank = rank
        self.world = world
        # In shared memory: workers that live on from epoch to epoch see the new number.
        self.epoch = torch.zeros(1, dtype=torch.int64)
        self.epoch.share_memory_()  # type: ignore[no-untyped-call]

    def __iter__(self) -> Iterator[DepthBatch]:
        worker = get_worker_info()
        reader = self.reader() if worker is None else self.reader(worker.id, worker.num_workers)
        return self.stream.read(epoch=int(self.epoch), reader=reader)

    def reader(self, worker: int = 0, num_workers: int = 1) -> Reader:
        """Return the reader that one of ``num_workers`` processes of this rank is."""
        return Reader(rank=self.rank, world=self.world, worker=worker, num_workers=num_workers)


class ShardLoader:
    """Batches of a stream, read by processes that outlive the epoch.

    It has a length, which an exact resume needs: Lightning fetches one batch ahead of a loader
    without one. Iterating it anew starts the next epoch unless `set_epoch` said which.

    Args:
        stream: What to read.
        rank: Number of this training process.
        world: Count of training processes.
        num_workers: Reading processes; 0 reads in this one.
        pin_memory: Whether batches land in page-locked memory, for faster copies to a GPU.
    """

    # Lightning asks for it wherever there is a sampler.
    batch_sampler: None = None

    def __init__(
        self, stream: Stream, *, rank: int, world: int, num_workers: int, pin_memory: bool
    ) -> None:
        self.num_workers = num_workers
        if num_workers > 0:
            use_one_opencv_thread()
        self._dataset = StreamDataset(stream, rank=rank, world=world)
        self._batches = DataLoader(
            self._dataset,
            batch_size=None,
            num_workers=num_workers,
            pin_memory=pin_memory,
            persistent_workers=num_workers > 0,
        )
        self._next_epoch = 0

    @property
    def sampler(self) -> "ShardLoader":
        """Itself: Lightning announces epochs to ``loader.sampler.set_epoch``."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be that of ``epoch``, counted from 0."""
        self._next_epoch = epoch

    def __len__(self) -> int:
        num_workers = max(self.num_workers, 1)
        readers = (self._dataset.reader(worker, num_workers) for worker in range(num_workers))
        return sum(map(self._dataset.stream.num_batches_of, readers))

    def __iter__(self) -> Iterator[DepthBatch]:
        # Being a generator, this runs at the first batch: Lightning asks for an iterator before it
        # announces the epoch, which matters when a run is continued.
        self._dataset.epoch.fill_(self._next_epoch)
        self._next_epoch += 1
        yield from self._batches


def use_one_opencv_thread() -> None:
    """Keep OpenCV to one thread in this process and in the workers it will fork.

    It must happen before the fork: a pool of threads does not survive one, and a worker that
    touches what is left of its parent's waits for ever.
    """
    cv2.setNumThreads(1)
