"""Pictures to a video file."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ppvd.video.backend import AvObject, av
from ppvd.whole import appearing_whole

# Ticks a second in which 24, 25, 30, 30000/1001 and 60 frames a second are whole numbers.
TICKS = 90_000


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How pictures are coded. The same pictures give the same bytes.

    Attributes:
        container: FFmpeg's name of the file format.
        codec: FFmpeg's name of the encoder.
        given: Layout of the pictures: ``gray16le`` or ``rgb24``.
        coded: Layout in the file.
        options: The encoder's.
    """

    container: str
    codec: str
    given: str
    coded: str
    options: dict[str, str] = field(default_factory=dict)


# Lossless; every frame stands alone, with a checksum; four slices for four cores.
DEPTH_ENCODING = Encoding(
    container="matroska",
    codec="ffv1",
    given="gray16le",
    coded="gray16le",
    options={"level": "3", "g": "1", "slices": "4", "slicecrc": "1"},
)
# What every player and browser shows. Frames in order of time, so that parts can be joined.
COLOUR_ENCODING = Encoding(
    container="mp4",
    codec="libx264",
    given="rgb24",
    coded="yuv420p",
    # With several threads, one run in many wrote other bytes for the same frames.
    options={"crf": "18", "preset": "veryfast", "bf": "0", "threads": "1"},
)
_BT709 = 1
_THREADS = 2  # A fixed number: the bytes depend on it.


def encode(
    path: Path,
    frames: Iterable[tuple[NDArray[np.uint8] | NDArray[np.uint16], Fraction]],
    *,
    encoding: Encoding,
    rate: Fraction,
) -> None:
    """Write a file that appears whole or not at all.

    Args:
        path: Where to.
        frames: Pictures of one size with their times in seconds, rising; at least one.
        encoding: How.
        rate: Frames a second that the file announces.
    """
    with appearing_whole(path) as passing:
        options = {"fflags": "+bitexact"}
        with av().open(str(passing), "w", format=encoding.container, options=options) as container:
            stream = None
            for picture, time in frames:
                if stream is None:
                    stream = _stream(container, encoding, rate, picture.shape)
                frame = av().VideoFrame.from_ndarray(picture, format=encoding.given)
                if encoding.given == "rgb24":
                    frame = frame.reformat(format=encoding.coded, dst_colorspace="ITU709")
                frame.pts, frame.time_base = round(time * TICKS), Fraction(1, TICKS)
                container.mux(stream.encode(frame))
            if stream is not None:
                container.mux(stream.encode())


def _stream(
    container: AvObject, encoding: Encoding, rate: Fraction, shape: tuple[int, ...]
) -> AvObject:
    stream = container.add_stream(encoding.codec, rate=rate, options=encoding.options)
    stream.height, stream.width, stream.pix_fmt = shape[0], shape[1], encoding.coded
    stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
    stream.codec_context.thread_count = _THREADS
    if encoding.given == "rgb24":
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = 1
    return stream
