"""A video of any length as windows of a fixed one, of which later ones begin with keyframes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TypeVar

FrameT = TypeVar("FrameT")


@dataclass(frozen=True, kw_only=True)
class WindowPlan:
    """How a video is cut into windows (released code).

    Each window but the first begins with keyframes of the one before it, which carry scale and
    shift across, and goes on with the frames that come next. Keyframes are pictures, never
    predictions: windows do not wait for each other.

    Args:
        length: Frames ``T`` of a window.
        keyframes: Places in a window of the frames that open the next one, increasing from 0,
            so that the first reference is the video's first frame in every window.

    Raises:
        ValueError: If the keyframes do not increase from 0 within the window, or fill it.
    """

    length: int = 16
    keyframes: tuple[int, ...] = (0, 8, 15)

    def __post_init__(self) -> None:
        places = tuple(self.keyframes)
        rising = bool(places) and places[0] == 0 and places[-1] < self.length
        rising = rising and all(low < high for low, high in pairwise(places))
        if not rising or len(places) >= self.length:
            raise ValueError(
                f"keyframes must increase from 0 within the {self.length} frames of a window and"
                f" leave room for others, got {list(places)}"
            )

    def cut(self, frames: Iterable[FrameT]) -> Iterator[tuple[list[FrameT], int]]:
        """Yield the windows of a video, holding no more of it than one.

        The last window is filled up with its last frame. A video shorter than a window fills one
        in the same way; the released code fails at one to three frames.

        Args:
            frames: Frames of the video in order, any number.

        Yields:
            ``length`` frames, keyframes first, and how many of those behind the keyframes are
            the video's own and not filled up.
        """
        coming = iter(frames)
        window: list[FrameT] = []
        while True:
            window = [window[place] for place in self.keyframes] if window else []
            new = list(islice(coming, self.length - len(window)))
            if not new:
                return
            window += new + new[-1:] * (self.length - len(window) - len(new))
            yield window, len(new)
