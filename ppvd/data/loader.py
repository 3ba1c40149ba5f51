"""The loader that Lightning iterates: sized, restartable, the same for training and evaluation."""

import logging
from collections.abc import Iterator

import cv2
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ppvd.data.collate import LoadedBatch
from ppvd.data.plan import Reader
from ppvd.data.stream import Stream

log = logging.getLogger(__name__)


class StreamDataset(IterableDataset[LoadedBatch]):
    """A stream behind PyTorch's loader: finds out which reader it is.

    Args:
        stream: What to read.
        rank: Number of this training process.
        world: Count of training processes.
        num_workers: Reading processes; 0 for the training process itself.
    """

    def __init__(self, stream: Stream, *, rank: int, world: int, num_workers: int = 0) -> None:
        self.stream = stream
        self.rank = rank
        self.world = world
        # In shared memory: workers that live on from epoch to epoch see the new numbers.
        self._position = torch.zeros(2, dtype=torch.int64)
        self._position.share_memory_()  # type: ignore[no-untyped-call]
        # One number a worker: nobody else writes to it.
        self._num_bad = torch.zeros(max(num_workers, 1), dtype=torch.int64)
        self._num_bad.share_memory_()  # type: ignore[no-untyped-call]

    @property
    def num_bad(self) -> int:
        """Samples that were left out so far, by all workers."""
        return int(self._num_bad.sum())

    def move_to(self, *, epoch: int, start: int) -> None:
        """Let the next iteration begin at batch ``start`` of ``epoch``."""
        self._position.copy_(torch.tensor([epoch, start]))

    def __iter__(self) -> Iterator[LoadedBatch]:
        worker = get_worker_info()
        number, num_workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        epoch, start = self._position.tolist()
        # PyTorch takes its first batch from worker 0: that one must be the reader whose turn it is.
        place = (number + start) % num_workers
        own_start = len(range(place, start, num_workers))
        reader = self.reader(place, num_workers)

        def count(num_samples: int) -> None:
            self._num_bad[number] += num_samples

        return self.stream.read(epoch=epoch, reader=reader, start=own_start, on_loss=count)

    def reader(self, worker: int = 0, num_workers: int = 1) -> Reader:
        """Return the reader that one of ``num_workers`` processes of this rank is."""
        return Reader(rank=self.rank, world=self.world, worker=worker, num_workers=num_workers)


class ShardLoader:
    """Batches of a stream, read by processes that outlive the epoch.

    It has a length, which an exact resume needs: Lightning fetches one batch ahead of a loader
    without one. Iterating it anew starts the next epoch unless `set_epoch` said which. Its state is
    two counters that are the same on every rank, since only the first rank's is saved.

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
        self._dataset = StreamDataset(stream, rank=rank, world=world, num_workers=num_workers)
        # Forked after this process has used an object store, a worker would wait for ever.
        spawned = num_workers > 0 and stream.is_remote
        self._batches = DataLoader(
            self._dataset,
            batch_size=None,
            num_workers=num_workers,
            pin_memory=pin_memory,
            persistent_workers=num_workers > 0,
            multiprocessing_context="spawn" if spawned else None,
            worker_init_fn=_settle if spawned else None,
            # Of its own: the loader draws a number from it, which must not be one of the run's.
            generator=torch.Generator(),
        )
        self._epoch = self._num_given = self._next_epoch = 0
        self._resumed = (0, 0)

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

    @property
    def num_bad(self) -> int:
        """Samples that this rank's readers left out since the loader was made."""
        return self._dataset.num_bad

    def state_dict(self) -> dict[str, int]:
        """Return how far the current epoch has come, and the plan that it follows."""
        return {"epoch": self._epoch, "num_batches": self._num_given, **self._plan()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the epoch of ``state`` go on where it was left, whenever it is begun.

        Another number of processes or samples a batch deals the samples otherwise: then the epoch
        goes on at the same batch, but some samples come twice in it and some not at all.
        """
        self._resumed = self._epoch, self._num_given = state["epoch"], state["num_batches"]
        self._next_epoch = self._epoch + (self._num_given >= len(self))
        if not self._plan().items() <= state.items():
            log.warning(
                "the epoch is continued by another plan, %s after %s: what is left of it holds"
                " other samples than it would have",
                self._plan(),
                state,
            )

    def _plan(self) -> dict[str, int]:
        dataset = self._dataset
        return {
            "world": dataset.world,
            "num_workers": self.num_workers,
            "batch_size": dataset.stream.batch_size,
            "batches_per_epoch": len(self),
        }

    def __iter__(self) -> Iterator[LoadedBatch]:
        # Being a generator, this runs at the first batch: Lightning asks for an iterator before it
        # announces the epoch, which matters when a run is continued.
        resumed_epoch, start = self._resumed
        self._epoch = self._next_epoch
        self._num_given = start if self._epoch == resumed_epoch and start < len(self) else 0
        self._resumed = (0, 0)
        self._next_epoch += 1
        self._dataset.move_to(epoch=self._epoch, start=self._num_given)
        for batch in self._batches:
            self._num_given += 1
            yield batch


def _settle(worker: int) -> None:  # noqa: ARG001
    use_one_opencv_thread()


def use_one_opencv_thread() -> None:
    """Keep OpenCV to one thread in this process and in the workers it will fork.

    It must happen before the fork: a pool of threads does not survive one, and a worker that
    touches what is left of its parent's waits for ever.
    """
    cv2.setNumThreads(1)
