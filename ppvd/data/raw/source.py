"""A downloaded data set as a source of shards: what all readers have in common."""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ppvd.data.encode import Sample
from ppvd.data.errors import SampleError, ShardError, UnfitSampleError
from ppvd.data.frame import Frame, Metadata
from ppvd.data.raw.depth import DepthMap
from ppvd.data.raw.files import Picture
from ppvd.data.raw.shot import Entry, Shot, Taken
from ppvd.data.raw.tree import revision
from ppvd.data.schema import Split

# PNG and float32 take about so many times the bytes of JPEG and 16 bits: a frame of Hypersim's
# 3.4 MB, of which 2.4 are depth (measured), instead of 0.8.
LOSSLESS = 4


@dataclass(frozen=True, kw_only=True)
class RawSource(ABC):
    """A downloaded data set.

    A reader lists the frames (`shots`) and reads one (`take`). Training samples are put in an
    order that only their keys decide, so that neighbours in a shard are strangers and the first
    ``limit`` are a fair draw; others keep the order of the data set.

    Args:
        raw: Folder of the unpacked download.
        split: Split of the data set.
        limit: Take only so many samples.

    Attributes:
        dataset: Name of the data set.
        licence: Licence of its data.
        frame_bytes: About how many bytes a stored picture with its depth takes.
        splits: Splits that the data set has.
        lossless: Whether all samples are stored without loss; those of the test split always are.
        depth_step_m: Step in metres of the data set's own 16-bit depth; None where it is stored
            otherwise.
        flags: Facts about the truth that a reader of scores should know.

    Raises:
        ValueError: If the data set has no such split, or ``limit`` is not positive.
    """

    raw: Path
    split: Split = "train"
    limit: int | None = None

    dataset: ClassVar[str]
    licence: ClassVar[str]
    frame_bytes: ClassVar[int] = 2**20
    splits: ClassVar[tuple[Split, ...]] = ("train",)
    lossless: ClassVar[bool] = False
    depth_step_m: ClassVar[float | None] = None
    flags: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Refuse what the data set does not have."""
        if self.split not in self.splits:
            raise ValueError(
                f"split must be one of {', '.join(self.splits)} for {self.dataset}, got"
                f" {self.split}"
            )
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit must be at least 1 sample, got {self.limit}")

    @abstractmethod
    def shots(self) -> Iterable[Shot]:
        """List the frames of the split, each sequence in order; unfit ones are marked."""

    @abstractmethod
    def take(self, shot: Shot) -> Taken:
        """Read a frame; a `SampleError` leaves it out of the set with its reason."""

    def notes(self) -> dict[str, object]:
        """Return, as json can carry it, which of the known layouts the download has."""
        return {}

    def describe(self) -> dict[str, object]:
        """Return options, layout, and what tells this download from another.

        The folder's own name is left out: a download that was moved is the same.
        """
        options = {
            item.name: getattr(self, item.name) for item in fields(self) if item.name != "raw"
        }
        plain = {name: _plain(value) for name, value in options.items()}
        return plain | self.notes() | {"revision": revision(self.raw, self._files())}

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """What becomes samples, in order; found once, also where this is sent to processes."""
        found = self.assemble(list(self.shots()))
        if not found:
            raise ShardError(f"raw {self.raw} must hold frames of {self.dataset}, found none")
        key, count = Counter(entry.key for entry in found).most_common(1)[0]
        if count > 1:
            raise ShardError(f"raw {self.raw} must hold each frame once, {key} is there twice")
        if self.split == "train":
            found = sorted(found, key=lambda entry: sha256(entry.key.encode()).digest())
        return tuple(found[: self.limit])

    def parts(self, folder: Path) -> tuple[str, ...]:
        """Return the names of a folder and all above it, those above the download's root too."""
        return (self.raw.absolute() / folder).parts

    def assemble(self, shots: list[Shot]) -> list[Entry]:
        """Return what becomes samples: each frame one, unless a subclass makes clips."""
        return [Entry(key=self.key(shot), shots=(shot,), fault=shot.fault) for shot in shots]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def sample_bytes(self) -> int:
        """About how many bytes a stored sample takes: a clip as many as its frames."""
        num_frames = sum(len(entry.shots) for entry in self.entries)
        factor = LOSSLESS if self.split == "test" and not self.lossless else 1
        return factor * self.frame_bytes * -(-num_frames // len(self.entries))

    def sample(self, index: int) -> Sample:
        """Read sample ``index``."""
        entry = self.entries[index]
        if entry.fault:
            raise UnfitSampleError(entry.key, entry.fault)
        try:
            return self.read(entry)
        except SampleError as error:
            raise UnfitSampleError(entry.key, str(error)) from error

    def read(self, entry: Entry) -> Sample:
        """Read the frames of one sample."""
        return self.stored(entry, [self.take(shot) for shot in entry.shots])

    def stored(self, entry: Entry, taken: list[Taken]) -> Sample:
        """Return the sample of the frames that were read."""
        pictures = [one.picture for one in taken if one.picture is not None]
        return Sample(
            key=entry.key,
            frames=tuple(one.frame for one in taken),
            lossless=self.lossless or self.split == "test",
            pictures=tuple(pictures) if len(pictures) == len(taken) else (),
            depth_step_m=self.depth_step_m,
            flags=self.flags,
        )

    def key(self, shot: Shot) -> str:
        """Return the key of a frame."""
        return f"{self.dataset}/{_slug(shot.sequence)}/{shot.number:06d}"

    def taken(
        self,
        shot: Shot,
        picture: Picture,
        depth: DepthMap,
        *,
        intrinsics: NDArray[np.float64],
        pose: NDArray[np.float64] | None = None,
        metadata: Metadata | None = None,
    ) -> Taken:
        """Return a frame whose parts were read.

        Raises:
            SampleError: If picture and depth are not of one size.
        """
        if picture.image.shape[:2] != depth.depth.shape:
            raise SampleError(
                f"picture and depth must be of one size, got {picture.image.shape[:2]} and"
                f" {depth.depth.shape}"
            )
        frame = Frame(
            image=picture.image,
            depth=depth.depth,
            valid=depth.valid,
            sky=depth.sky,
            intrinsics=intrinsics,
            pose=pose,
            key=self.key(shot),
            scene=shot.scene,
            index=shot.number,
            source=(str(shot.image), str(shot.depth)),
            metadata=metadata or {},
        )
        own = picture.payload if self.lossless else picture.jpeg
        return Taken(frame=frame, picture=own or None)

    def _files(self) -> Iterable[Path]:
        for entry in self.entries:
            for shot in entry.shots:
                yield from (shot.image, shot.depth, *shot.others)


def _slug(name: str) -> str:
    """Return ``name`` as a part of a key: a dot would split it."""
    return re.sub(r"[^a-z0-9_/-]", "-", name.lower())


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return value.name
    return list(value) if isinstance(value, tuple) else value
