"""Shard sets as Lightning sees them."""

from dataclasses import replace
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader

from ppvd.batch import DepthBatch
from ppvd.data.augment import Augment
from ppvd.data.cache import ShardCache
from ppvd.data.clip import Clips
from ppvd.data.collate import LoadedBatch, with_floats
from ppvd.data.loader import ShardLoader, use_one_opencv_thread
from ppvd.data.photos import Photo, Photos, collate_photos
from ppvd.data.source import ShardSet, ShardSource
from ppvd.data.stream import EvalStream, TrainStream

DEFAULT_AUGMENT = Augment()


class ShardDataModule(L.LightningDataModule):
    """Streams shard sets: a weighted mixture to train on, named sets to evaluate on.

    Training batches have one size and the same number on every rank. Evaluation yields every
    sample once at its own size, over all ranks together. Batches are `ppvd.batch.DepthBatch` once
    they are on their device (loaders yield uint8 images and uint16 depth); their ``source`` is the
    name given here.

    Args:
        train: Sets to train on, by name.
        val: Sets to validate on, by name.
        test: Sets to test on, by name.
        predict: Photograph, folder, or list of photographs to predict.
        size: Height and width of training batches, pixels.
        batch_size: Training samples of a batch on each rank.
        eval_batch_size: Samples of an evaluation batch; more than 1 needs equal sizes.
        num_workers: Reading processes a loader; 0 reads in the training process.
        samples_per_epoch: Training samples of an epoch over all ranks, of which what does not
            fill a batch on every rank is left out; None for as many as the sets hold.
        seed: Seed of order, mixture and augmentation.
        augment: Random views; None for the middle of each picture.
        clips: How training clips are drawn from segments of video; evaluation then reads whole
            segments. None is for image models: one frame of each segment.
        shuffle_buffer: Undecoded samples that each reader shuffles among; at 1024x768 one is
            about 0.75 MB, and a segment as much for each of its frames.
        max_bad_fraction: Share of an epoch's training samples that may be unreadable before the
            run stops, in [0, 1); each is logged. Evaluation accepts none.
        cache: Where shards of object stores are kept on this machine's disk; None reads them from
            their store in every epoch.
        pin_memory: Whether batches land in page-locked memory; None for yes if there is a GPU.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        train: dict[str, ShardSource] | None = None,
        val: dict[str, ShardSource] | None = None,
        test: dict[str, ShardSource] | None = None,
        predict: str | list[str] | None = None,
        *,
        size: tuple[int, int] = (512, 512),
        batch_size: int = 1,
        eval_batch_size: int = 1,
        num_workers: int = 0,
        samples_per_epoch: int | None = None,
        seed: int = 0,
        augment: Augment | None = DEFAULT_AUGMENT,
        clips: Clips | None = None,
        shuffle_buffer: int = 256,
        max_bad_fraction: float = 0.0,
        cache: ShardCache | None = None,
        pin_memory: bool | None = None,
    ) -> None:
        super().__init__()
        # One photograph on two ranks leaves one of them without work, which is no mistake.
        self.allow_zero_length_dataloader_with_multiple_devices = True
        _at_least(1, height=size[0], width=size[1], batch_size=batch_size)
        _at_least(1, eval_batch_size=eval_batch_size, shuffle_buffer=shuffle_buffer)
        _at_least(0, num_workers=num_workers, seed=seed)
        if samples_per_epoch is not None:
            _at_least(1, samples_per_epoch=samples_per_epoch)
        if not 0 <= max_bad_fraction < 1:
            raise ValueError(f"max_bad_fraction must lie in [0, 1), got {max_bad_fraction}")
        self.sources = {"train": train, "val": val, "test": test}
        self.photos = predict
        self.size = (size[0], size[1])
        self.batch_size = batch_size
        self.eval_batch_size = eval_batch_size
        self.num_workers = num_workers
        self.samples_per_epoch = samples_per_epoch
        self.seed = seed
        self.augment = augment
        self.clips = clips
        self.shuffle_buffer = shuffle_buffer
        self.max_bad_fraction = max_bad_fraction
        self.cache = cache
        self.pin_memory = torch.cuda.is_available() if pin_memory is None else pin_memory

    def train_dataloader(self) -> ShardLoader:
        """Return the loader of this rank's share of the mixture."""
        named = self._named("train")
        sets = {name: self._open(source) for name, source in named.items()}
        stream = TrainStream(
            sources=sets,
            weights={name: source.weight for name, source in named.items()},
            size=self.size,
            batch_size=self.batch_size,
            num_batches=self._num_batches(sets),
            seed=self.seed,
            augment=self.augment,
            clips=self.clips,
            strides={name: source.max_stride for name, source in named.items()},
            shuffle_buffer=self.shuffle_buffer,
            max_bad_fraction=self.max_bad_fraction,
        )
        return self._loader(stream)

    def val_dataloader(self) -> dict[str, ShardLoader] | list[ShardLoader]:
        """Return a loader for each validation set; none is a run without validation."""
        return self._evaluations("val") if self.sources["val"] else []

    def test_dataloader(self) -> dict[str, ShardLoader]:
        """Return a loader for each test set."""
        return self._evaluations("test")

    def predict_dataloader(self) -> DataLoader[Photo]:
        """Return the loader of the photographs, one by one."""
        if self.photos is None:
            raise ValueError(
                "predict must name a photograph or folder, got None: set data.init_args.predict"
            )
        if self.num_workers > 0:
            use_one_opencv_thread()
        return DataLoader(
            Photos(self.photos),
            batch_size=1,
            num_workers=self.num_workers,
            collate_fn=collate_photos,
            pin_memory=self.pin_memory,
        )

    def transfer_batch_to_device(
        self, batch: LoadedBatch, device: torch.device, dataloader_idx: int
    ) -> DepthBatch:
        """Move a batch to ``device`` and make floats of its image and depth there."""
        moved: Any = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return with_floats(moved) if moved["image"].dtype == torch.uint8 else moved

    def _evaluations(self, stage: str) -> dict[str, ShardLoader]:
        streams = {
            name: EvalStream(
                name=name,
                shards=self._open(source),
                batch_size=self.eval_batch_size,
                clips=self.clips is not None,
            )
            for name, source in self._named(stage).items()
        }
        return {name: self._loader(stream) for name, stream in streams.items()}

    def _open(self, source: ShardSource) -> ShardSet:
        return replace(source.open(), cache=self.cache)

    def _named(self, stage: str) -> dict[str, ShardSource]:
        named = self.sources[stage]
        if not named:
            raise ValueError(f"{stage} must name at least one shard set, got {named}")
        return named

    def _num_batches(self, sets: dict[str, ShardSet]) -> int:
        held = sum(shards.num_samples for shards in sets.values())
        wanted = held if self.samples_per_epoch is None else self.samples_per_epoch
        num_batches = wanted // (self.batch_size * self._world())
        if num_batches < 1:
            raise ValueError(
                f"an epoch must fill one batch of {self.batch_size} on each of {self._world()}"
                f" ranks, got {wanted} samples: raise samples_per_epoch or lower batch_size"
            )
        return num_batches

    def _loader(self, stream: TrainStream | EvalStream) -> ShardLoader:
        return ShardLoader(
            stream,
            rank=0 if self.trainer is None else self.trainer.global_rank,
            world=self._world(),
            num_workers=self.num_workers,
            pin_memory=self.pin_memory,
        )

    def _world(self) -> int:
        return 1 if self.trainer is None else self.trainer.world_size


def _at_least(least: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")
