"""Folders of frames."""

import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from ppvd.video.frame import Picture, VideoFrame
from ppvd.video.steady import Decoded, steady


class FrameSeries:
    """Pictures that are the frames of a video, in the order of the numbers in their names.

    Args:
        files: The pictures; ``2.png`` comes before ``10.png``.
        read: Reads one as sRGB uint8 ``(H, W, 3)``; a ``ValueError`` means that it is broken.
        rate: Frames a second.
        name: What they are called in messages.

    Raises:
        ValueError: If the rate is not positive.
    """

    def __init__(
        self, files: Sequence[Path], read: Callable[[Path], Picture], *, rate: Fraction, name: str
    ) -> None:
        if not rate > 0:
            raise ValueError(f"rate must be positive frames a second, got {rate}")
        self.files = sorted(files, key=_numbers_count)
        self.read = read
        self.rate = rate
        self.name = name
        self.num_frames: int | None = len(self.files)

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the frames."""
        return steady(self._pictures(), name=self.name, rate=self.rate)

    def _pictures(self) -> Iterator[Decoded]:
        for number, file in enumerate(self.files):
            try:
                yield self.read(file), number / self.rate
            except ValueError:
                yield None, None


def _numbers_count(file: Path) -> list[tuple[str, int]]:
    """Split a name so that its numbers compare as numbers."""
    parts = re.findall(r"(\D*)(\d*)", file.name)
    return [(text, int(number or 0)) for text, number in parts]
