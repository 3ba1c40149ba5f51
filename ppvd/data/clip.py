"""Which frames of a segment make a clip to train on."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Clips:
    """Draws clips from segments of video.

    A video longer than a window is sampled window by window, and a later window begins with
    keyframes of the one before it, in front of the frames that come next. ``later`` clips are
    drawn that way round too, so that training sees the gaps between references and frames that
    sampling will meet (ours).

    Args:
        length: Frames ``T`` of a clip (section III-F: 16).
        keyframes: Places in a window of the frames that open the next one, increasing from 0 to
            ``length - 1`` (released code).
        later: Share of clips drawn as later windows, above 0 and up to 1; segments too short for
            it give consecutive frames. ``"released"`` is consecutive frames alone: the references
            are then always the clip's first frames, which is all that the paper says.

    Raises:
        ValueError: If a number is out of its range.
    """

    length: int = 16
    keyframes: tuple[int, ...] = (0, 8, 15)
    later: float | Literal["released"] = 0.5

    def __post_init__(self) -> None:
        places = tuple(self.keyframes)
        if self.length < 1:
            raise ValueError(f"length must be at least 1 frame, got {self.length}")
        if self.later == "released":
            return
        if not 0 < self.later <= 1:
            raise ValueError(f"later must lie in (0, 1] or be released, got {self.later}")
        if not _is_rising(places, self.length):
            raise ValueError(
                f"keyframes must increase from 0 to length - 1, {self.length - 1}, and leave room"
                f" for other frames, got {list(places)}: set later to released to draw none by them"
            )

    def draw(self, num_frames: int, *, max_stride: int, rng: np.random.Generator) -> list[int]:
        """Return the frames of one clip, ``length`` numbers below ``num_frames``, in order.

        A segment with fewer frames than a clip repeats its last one, as sampling does; a picture
        so becomes a clip that stands still.

        Args:
            num_frames: Frames of the segment.
            max_stride: Largest step between neighbouring frames; smaller ones are as likely.
            rng: All chance comes from here.
        """
        share = 0.0 if self.later == "released" else self.later
        later = rng.random() < share and self._second_window()[-1] < num_frames
        offsets = self._second_window() if later else np.arange(self.length)
        span = int(offsets[-1])
        fitting = max(1, min(max_stride, (num_frames - 1) // max(span, 1)))
        stride = int(rng.integers(fitting)) + 1
        start = int(rng.integers(max(1, num_frames - span * stride)))
        frames = np.minimum(start + stride * offsets, num_frames - 1)
        if later:  # The first keyframe of all windows is the video's first frame.
            frames[0] = rng.integers(start + 1)
        numbers: list[int] = frames.tolist()
        return numbers

    def _second_window(self) -> np.ndarray:
        new = self.length + np.arange(self.length - len(self.keyframes))
        return np.concatenate([np.array(self.keyframes, dtype=np.int64), new])


def _is_rising(places: tuple[int, ...], length: int) -> bool:
    rises = all(low < high for low, high in pairwise(places))
    return rises and len(places) < length and (places[0], places[-1]) == (0, length - 1)
