"""Streams of batches for one reader: the sample's journey from shard to batch."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from zlib import crc32

import numpy as np

from ppvd.data.augment import Augment, centre_cut
from ppvd.data.budget import Budget, read_pieces
from ppvd.data.clip import Clips
from ppvd.data.coded import CodedFrame
from ppvd.data.collate import LoadedBatch, collate, collate_clips
from ppvd.data.decode import RawSample, decode, decode_for_training
from ppvd.data.errors import ShardError
from ppvd.data.frame import Frame
from ppvd.data.mix import draw_sources
from ppvd.data.plan import EpochPlan, Reader, pieces, plan_epoch, share
from ppvd.data.shuffle import read_shuffled
from ppvd.data.source import ShardSet
from ppvd.data.storage import is_url


@dataclass(frozen=True, kw_only=True)
class TrainStream:
    """Augmented batches of a mixture, endless in sources and exact in number.

    Args:
        sources: Shard sets by name.
        weights: Weight by name.
        size: Height and width of the batches.
        batch_size: Samples of a batch.
        num_batches: Batches of an epoch, of each rank.
        seed: Seed of order, mixture and augmentation.
        augment: Random view; None for the middle of each picture.
        clips: How clips are drawn from segments; None for single frames.
        strides: Largest step between neighbouring frames of a clip by source, where not 1.
        shuffle_buffer: Undecoded samples that a reader holds back to shuffle among.
        max_bad_fraction: Share of an epoch's samples that may be unreadable.
    """

    sources: Mapping[str, ShardSet]
    weights: Mapping[str, float]
    size: tuple[int, int]
    batch_size: int
    num_batches: int
    seed: int
    augment: Augment | None
    shuffle_buffer: int
    max_bad_fraction: float
    clips: Clips | None = None
    strides: Mapping[str, int] = field(default_factory=dict)

    def num_batches_of(self, reader: Reader) -> int:
        """Return how many batches ``reader`` yields in an epoch."""
        return len(range(reader.worker, self.num_batches, reader.num_workers))

    @property
    def is_remote(self) -> bool:
        """Whether any of it is read from an object store."""
        return any(is_url(shards.root) for shards in self.sources.values())

    def read(
        self,
        *,
        epoch: int,
        reader: Reader,
        start: int = 0,
        on_loss: Callable[[int], object] | None = None,
    ) -> Iterator[LoadedBatch]:
        """Yield the batches of one reader in one epoch.

        Args:
            epoch: Number of the epoch.
            reader: Who reads.
            start: First batch of this reader to yield; it and those after it are, bit by bit, what
                they would be without those before.
            on_loss: Told how many samples were left out, whenever some are.

        Raises:
            ShardError: If more samples are bad than ``max_bad_fraction`` allows.
        """
        num_draws = self.num_batches * reader.world * self.batch_size
        draws = draw_sources(self.weights, num_draws, seed=self.seed, epoch=epoch)
        draws = draws.reshape(self.num_batches, reader.world, self.batch_size)
        plan = plan_epoch(draws, num_sources=len(self.sources), epoch=epoch, reader=reader)
        # Another sample takes a bad one's place, so where bad ones are tolerated, only a reading
        # from the beginning tells which samples the earlier batches took.
        replayed = start if self.max_bad_fraction > 0 else 0
        budget = Budget(
            num_planned=plan.batches.size, max_bad_fraction=self.max_bad_fraction, on_loss=on_loss
        )
        batches = self._batches(plan, budget, epoch=epoch, start=start - replayed)
        yield from islice(batches, replayed, None)

    def _batches(
        self, plan: EpochPlan, budget: Budget, *, epoch: int, start: int
    ) -> Iterator[LoadedBatch]:
        names = list(self.sources)
        taken = np.bincount(plan.batches[:start].ravel(), minlength=len(names))
        streams = [
            self._stream(name, interval, budget, num_planned=plan.batches.size, num_taken=count)
            for name, interval, count in zip(names, plan.intervals, taken.tolist(), strict=True)
        ]
        for chosen, numbers in zip(plan.batches[start:], plan.numbers[start:], strict=True):
            sources = [names[source] for source in chosen]
            views = [
                self._view(streams[place], source, budget, rng=_rng(self.seed, epoch, number))
                for place, source, number in zip(chosen, sources, numbers, strict=True)
            ]
            yield self._batch(views, sources)

    def _stream(
        self,
        name: str,
        interval: tuple[int, int],
        budget: Budget,
        *,
        num_planned: int,
        num_taken: int,
    ) -> Iterator[RawSample]:
        """Yield one interval of a source in shuffled order, again if bad samples left it short."""
        start, stop = interval
        shards, seed = self.sources[name], [self.seed, crc32(name.encode())]
        plan = list(pieces(shards.counts, start=start, stop=stop, seed=seed))
        buffer = max(1, self.shuffle_buffer * (stop - start) // num_planned)
        for turn in count():
            num_good = num_taken
            for raw in read_shuffled(
                shards,
                plan,
                buffer=buffer,
                seed=f"{seed} {start} {turn}",
                on_bad=budget.spend if turn == 0 else _already_counted,
                num_taken=num_taken,
            ):
                num_good += 1
                yield raw
            if num_good == 0:
                raise ShardError(f"source {name!r} must hold a good sample among {start}..{stop}")
            num_taken = 0

    def _view(
        self, stream: Iterator[RawSample], source: str, budget: Budget, *, rng: np.random.Generator
    ) -> tuple[str, list[Frame | CodedFrame]]:
        """Return the key of the next good sample and the view of the frames drawn from it."""
        while True:
            raw = next(stream)
            try:
                numbers = self._numbers(raw, source, rng)
                frames = [decode_for_training(raw, frame=number) for number in numbers]
            except ShardError as error:
                budget.spend(error, 1)
                continue
            if self.augment is None:
                return raw.key, [centre_cut(frame, size=self.size) for frame in frames]
            return raw.key, self.augment.together(frames, size=self.size, rng=rng)

    def _numbers(self, raw: RawSample, source: str, rng: np.random.Generator) -> list[int]:
        """Draw which frames of a sample are decoded."""
        num_frames = len(raw.info.frames)
        if self.clips is None:
            return [int(rng.integers(num_frames))]
        return self.clips.draw(num_frames, max_stride=self.strides.get(source, 1), rng=rng)

    def _batch(
        self, views: list[tuple[str, list[Frame | CodedFrame]]], sources: list[str]
    ) -> LoadedBatch:
        if self.clips is None:
            return collate([frames[0] for _, frames in views], sources=sources)
        return collate_clips(
            [frames for _, frames in views], keys=[key for key, _ in views], sources=sources
        )


@dataclass(frozen=True, kw_only=True)
class EvalStream:
    """Every sample of one set once, in order, at its own size; a bad sample always raises.

    A score over fewer samples than its name promises would be a wrong score.

    Args:
        name: Name that the batches carry as their source.
        shards: Set to read.
        batch_size: Samples of a batch; the last one of a reader may be smaller.
        clips: Whether segments are read whole, with a frame axis; if not, their first frame.
    """

    name: str
    shards: ShardSet
    batch_size: int
    clips: bool = False

    def num_batches_of(self, reader: Reader) -> int:
        """Return how many batches ``reader`` yields."""
        return -(-len(share(self.shards.num_samples, reader)) // self.batch_size)

    @property
    def is_remote(self) -> bool:
        """Whether it is read from an object store."""
        return is_url(self.shards.root)

    def read(
        self,
        *,
        epoch: int,  # noqa: ARG002
        reader: Reader,
        start: int = 0,
        on_loss: Callable[[int], object] | None = None,  # noqa: ARG002
    ) -> Iterator[LoadedBatch]:
        """Yield the batches of one reader, the same in every epoch, from batch ``start`` on.

        Raises:
            ShardError: If anything about the set is not as its manifest says.
        """
        own = share(self.shards.num_samples, reader)[start * self.batch_size :]
        budget = Budget(num_planned=len(own), max_bad_fraction=0.0)
        plan = pieces(self.shards.counts, start=own.start, stop=own.stop)
        samples = read_pieces(self.shards, list(plan), on_bad=budget.spend)
        while group := list(islice(samples, self.batch_size)):
            yield self._batch(group)

    def _batch(self, group: list[RawSample]) -> LoadedBatch:
        sources = [self.name] * len(group)
        if not self.clips:
            return collate([decode(raw) for raw in group], sources=sources)
        clips = [
            [decode(raw, frame=number) for number in range(len(raw.info.frames))] for raw in group
        ]
        return collate_clips(clips, keys=[raw.key for raw in group], sources=sources)


Stream = TrainStream | EvalStream


def _already_counted(error: ShardError, num_samples: int) -> None:
    """Pass over what the budget has been charged for."""


def _rng(seed: int, epoch: int, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch, number])
