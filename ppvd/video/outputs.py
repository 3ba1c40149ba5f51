"""Files of a clip, written a segment of frames at a time so that none has to begin again."""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ppvd.video.encode import Encoding, encode
from ppvd.video.frame import Shot
from ppvd.video.join import join
from ppvd.whole import appearing_whole, write_whole


class ClipOutput(Protocol):
    """One file, or folder of files, of a clip.

    Attributes:
        path: Where it is in the end.
    """

    @property
    def path(self) -> Path: ...  # noqa: D102

    def write(self, segment: int, shots: Sequence[Shot]) -> None:
        """Write the frames of a segment; a segment that was written before is replaced."""

    def finish(self, num_segments: int, *, seconds: Fraction) -> None:
        """Make the file of the segments that there are; they stay where they are."""


@dataclass(frozen=True, kw_only=True)
class VideoOutput:
    """A video file, joined from one file a segment.

    Args:
        path: Where it is in the end.
        work: Folder of the segments.
        draw: Makes the picture of a frame.
        encoding: How pictures are coded.
        rate: Frames a second.
        sound: File whose sound goes along.
    """

    path: Path
    work: Path
    draw: Callable[[Shot], NDArray[np.uint8] | NDArray[np.uint16]]
    encoding: Encoding
    rate: Fraction
    sound: Path | None = None

    def write(self, segment: int, shots: Sequence[Shot]) -> None:
        """Encode a segment."""
        frames = ((self.draw(shot), shot.frame.time) for shot in shots)
        encode(self._part(segment), frames, encoding=self.encoding, rate=self.rate)

    def finish(self, num_segments: int, *, seconds: Fraction) -> None:
        """Join the segments."""
        parts = [self._part(segment) for segment in range(num_segments)]
        container = self.encoding.container
        join(parts, self.path, container=container, sound=self.sound, seconds=seconds)

    def _part(self, segment: int) -> Path:
        return self.work / f"{segment:06d}_{self.path.name}"


@dataclass(frozen=True)
class FrameOutput:
    """One file a frame, named by its number, which counts from 0.

    Args:
        path: Their folder.
        suffix: Of their names, such as ``.png``.
        save: Writes one.
    """

    path: Path
    suffix: str
    save: Callable[[Path, Shot], None]

    def write(self, segment: int, shots: Sequence[Shot]) -> None:  # noqa: ARG002
        """Write the files of a segment."""
        for shot in shots:
            self.save(self.path / f"{shot.number:06d}{self.suffix}", shot)

    def finish(self, num_segments: int, *, seconds: Fraction) -> None:
        """All files are there."""


@dataclass(frozen=True, kw_only=True)
class ArrayOutput:
    """``depth`` ``(T, H, W)`` in metres and ``time`` ``(T,)`` in seconds in one ``.npz`` file.

    Args:
        path: Where it is in the end.
        work: Folder of the segments.
        depth: Metres of codes.
    """

    path: Path
    work: Path
    depth: Callable[[Tensor], Tensor]

    def write(self, segment: int, shots: Sequence[Shot]) -> None:
        """Write the arrays of a segment."""
        depth = np.stack([self.depth(shot.code)[0].numpy() for shot in shots])
        times = np.array([float(shot.frame.time) for shot in shots])
        buffer = io.BytesIO()
        np.savez(buffer, depth=depth.astype(np.float32), time=times)
        write_whole(self._part(segment), buffer.getvalue())

    def finish(self, num_segments: int, *, seconds: Fraction) -> None:  # noqa: ARG002
        """Copy the segments, one at a time, to one file."""
        times = [self._load(segment, "time") for segment in range(num_segments)]
        size = self._load(0, "depth").shape[1:]
        with appearing_whole(self.path) as passing, zipfile.ZipFile(passing, "w") as archive:
            with archive.open(_member("time"), "w") as file:
                np.lib.format.write_array(file, np.concatenate(times))
            with archive.open(_member("depth"), "w", force_zip64=True) as file:
                shape = sum(map(len, times)), *size
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_2_0(file, header)
                for segment in range(num_segments):
                    file.write(self._load(segment, "depth").astype("<f4").tobytes())

    def _load(self, segment: int, name: str) -> NDArray[np.float32]:
        with np.load(self._part(segment)) as arrays:
            return np.asarray(arrays[name])

    def _part(self, segment: int) -> Path:
        return self.work / f"{segment:06d}_{self.path.name}"


def _member(name: str) -> zipfile.ZipInfo:
    """Name an array in a way that does not tell the time of day."""
    return zipfile.ZipInfo(f"{name}.npy")
