"""What the sets have in common that scores are measured on.

The truth is stored to the last bit, and pictures as they were distributed. Nothing is cropped or
clamped: which part of the truth counts is the protocol's to say, and protocols differ.
"""

from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import ClassVar

from ppvd.data.errors import SampleError
from ppvd.data.raw import Entry, Picture, RawSource, Shot, read_bytes
from ppvd.data.schema import Split


@dataclass(frozen=True, kw_only=True)
class EvaluationSource(RawSource):
    """A downloaded data set to evaluate on."""

    split: Split = "test"

    splits: ClassVar[tuple[Split, ...]] = ("test",)
    lossless: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class EvaluationVideos(EvaluationSource):
    """A downloaded data set of videos to evaluate on: single pictures, or whole videos.

    A video is one sample, of which no frame may be unfit: a score of half a video is no score.

    Args:
        raw: Folder of the unpacked download.
        split: Split of the data set.
        limit: Take only so many samples.
        clips: Make one sample of each video instead of one of each frame.
        start: Frames to leave out at the start of each video.
        stride: Take every so-manieth frame.
        frames_per_clip: Take at most so many frames of each video (published video protocols:
            500); without ``clips`` it does not matter.

    Raises:
        ValueError: If a number is out of its range.
    """

    clips: bool = False
    start: int = 0
    stride: int = 1
    frames_per_clip: int = 500

    def __post_init__(self) -> None:
        """Refuse what is no part of a video."""
        super().__post_init__()
        if self.start < 0:
            raise ValueError(f"start must not be negative, got {self.start}")
        if self.stride < 1:
            raise ValueError(f"stride must be at least 1 frame, got {self.stride}")
        if self.frames_per_clip < 2:
            raise ValueError(f"frames_per_clip must be at least 2, got {self.frames_per_clip}")

    def assemble(self, shots: list[Shot]) -> list[Entry]:
        """Return the frames that were asked for, or one entry for each video."""
        videos = [
            tuple(frames)[self.start :: self.stride]
            for _, frames in groupby(shots, key=lambda shot: shot.sequence)
        ]
        if not self.clips:
            return super().assemble([shot for video in videos for shot in video])
        return [self._video(video[: self.frames_per_clip]) for video in videos if video]

    def _video(self, shots: tuple[Shot, ...]) -> Entry:
        faults = (f"frame {shot.number}: {shot.fault}" for shot in shots if shot.fault)
        key = f"{self.key(shots[0])}-{len(shots):03d}"
        return Entry(key=key, shots=shots, fault=next(faults, ""))


def name_of(folder: Path, *, raw: Path) -> str:
    """Return the name of a folder below ``raw``, which may be the root of the download itself."""
    return folder.name or raw.resolve().name


def expect_size(picture: Picture, size: tuple[int, int]) -> None:
    """Refuse a picture that is not of the ``size`` (height, width) its camera was calibrated at.

    Raises:
        SampleError: If it is another size, for which the published intrinsics are wrong.
    """
    if picture.image.shape[:2] != size:
        raise SampleError(
            f"picture must be of size {size}, as the set is distributed and its camera was"
            f" calibrated, got {picture.image.shape[:2]}"
        )


def list_revision(path: Path | None) -> dict[str, object]:
    """Return what tells one published list from another, as json can carry it."""
    return {} if path is None else {"list_sha256": sha256(read_bytes(path)).hexdigest()}
