"""Video files and pipes, decoded by FFmpeg's libraries."""

import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from ppvd.video.backend import AvObject, av
from ppvd.video.frame import Picture, VideoFrame
from ppvd.video.steady import Decoded, steady

# For streams that tell no rate, such as some pipes.
DEFAULT_RATE = Fraction(25)


class VideoFile:
    """The first video stream of a file or a pipe, upright and with square pixels.

    Packets and frames that are broken count as missing. A file that breaks off ends there.

    Args:
        source: A file, an open pipe of a container that can be read from front to back, or the
            name of a device.
        name: What it is called in messages; ``None``: the path.
        kind: FFmpeg's name of the file format, or of the kind of devices; ``None``: by the content.

    Raises:
        ValueError: If it is not there, not a video, or has no video stream.
        OSError: If it cannot be opened.
        ImportError: If PyAV is not installed.
    """

    def __init__(
        self, source: Path | str | BinaryIO, *, name: str | None = None, kind: str | None = None
    ) -> None:
        self.name = name or str(source)
        self._container = _open(source, self.name, kind)
        if not self._container.streams.video:
            self._container.close()
            raise ValueError(f"video {self.name} must have a video stream, but has none")
        self._stream = self._container.streams.video[0]
        self.rate = self._rate()
        self.num_frames = self._stream.frames or self._estimated_frames()

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the frames; the file is closed after the last one."""
        with self._container:
            yield from steady(self._pictures(), name=self.name, rate=self.rate)

    def _rate(self) -> Fraction:
        """Return frames a second; streams copied without their rate tell a far too high average."""
        told = self._stream.average_rate, self._stream.guessed_rate
        return min((Fraction(rate) for rate in told if rate), default=DEFAULT_RATE)

    def _estimated_frames(self) -> int | None:
        if not self._container.duration:
            return None
        seconds = Fraction(self._container.duration, av().time_base)
        return max(1, round(seconds * self.rate))

    def _pictures(self) -> Iterator[Decoded]:
        """Yield what packets hold, in order of time; decoders pass over many broken ones silently.

        Frames come with the times of their packets. A packet whose time has passed without a
        frame has lost it.
        """
        awaited: list[int] = []  # a heap of times
        for packet in self._packets():
            if packet.size and packet.pts is not None and not packet.is_discard:
                heapq.heappush(awaited, packet.pts)
            for frame in _decoded(packet):
                while awaited and frame.pts is not None and awaited[0] < frame.pts:
                    yield None, heapq.heappop(awaited) * self._stream.time_base
                if awaited and awaited[0] == frame.pts:
                    heapq.heappop(awaited)
                yield None if frame.is_corrupt else self._upright(frame), _seconds(frame)
        for time in sorted(awaited):
            yield None, time * self._stream.time_base

    def _packets(self) -> Iterator[AvObject]:
        """Yield packets up to the end, or up to where the file is broken off."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av().FFmpegError):
                return
            yield packet

    def _upright(self, frame: AvObject) -> Picture:
        picture = frame.to_ndarray(format="rgb24")
        aspect = self._stream.sample_aspect_ratio
        if aspect and aspect != 1:
            height, width, _ = picture.shape
            picture = cv2.resize(picture, (max(1, round(width * aspect)), height))
        return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))


def _open(source: Path | str | BinaryIO, name: str, kind: str | None) -> AvObject:
    named = name if kind else f"video {name}"
    whole = "check its name" if kind else "check that the file is whole"
    try:
        return av().open(str(source) if isinstance(source, Path) else source, format=kind)
    except av().FFmpegError as error:
        if isinstance(error, FileNotFoundError):
            raise ValueError(f"{named} must exist: check the path") from error
        if isinstance(error, OSError) and not isinstance(error, EOFError):
            raise
        raise ValueError(
            f"{named} must be one that FFmpeg reads, but it is not ({error.strerror}): {whole}"
        ) from error


def _decoded(packet: AvObject) -> list[AvObject]:
    try:
        frames: list[AvObject] = packet.decode()
    except av().FFmpegError:
        return []
    return frames


def _seconds(frame: AvObject) -> Fraction | None:
    return None if frame.pts is None else frame.pts * Fraction(frame.time_base)
