"""How much depth trembles where the picture stands still: a measure without ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.video.frame import Shot
from ppvd.whole import appearing_whole

# Frames are looked at with their longer side at most so long; noise of the coding averages out.
MAX_SIDE_PX = 256
# Side of the squares that stand still or do not.
BLOCK_PX = 8
# A square is still if its colours change by no more than this from frame to frame, of 255, and
# if it has so much contrast that a motion would change them.
MAX_CHANGE, MIN_CONTRAST = 2.0, 6.0

Values = NDArray[np.float32]
Numbers = NDArray[np.float64]


def _none() -> Numbers:
    return np.empty(0)


@dataclass(kw_only=True)
class Wobble:
    """Mean change of codes between neighbouring frames over what stands still; writes no file.

    It is an output like others: what a segment adds lies beside its parts, so that a job that
    goes on knows the frames before.

    Args:
        path: The report that it is for.
        work: Folder of the segments.

    Attributes:
        times: Of each frame, seconds.
        starts: Of each segment, seconds.
        changes: Of each frame, mean absolute change of the code since the frame before it;
            NaN where nothing stands still, and for the first frame. The code's range is about 1.
        shares: Of each frame, share of the squares that stand still.
    """

    path: Path
    work: Path
    times: Numbers = field(default_factory=_none, init=False)
    starts: Numbers = field(default_factory=_none, init=False)
    changes: Numbers = field(default_factory=_none, init=False)
    shares: Numbers = field(default_factory=_none, init=False)

    @property
    def mean(self) -> float:
        """Mean change over all that stands still; NaN if nothing does."""
        known = np.isfinite(self.changes)
        weights = self.shares[known]
        return (
            float((self.changes[known] * weights).sum() / weights.sum()) if len(weights) else np.nan
        )

    def write(self, segment: int, shots: Sequence[Shot]) -> None:
        """Measure a segment, from the last frame of the one before on."""
        last = self._last(segment - 1) if segment else None
        lines = []
        for shot in shots:
            now = _reduced(shot)
            change, share = (np.nan, 0.0) if last is None else _change(*last, *now)
            lines.append((float(shot.frame.time), change, share))
            last = now
        assert last is not None, "a segment has a frame"
        with appearing_whole(self._part(segment)) as passing, passing.open("wb") as file:
            np.savez(file, lines=np.array(lines), picture=last[0], code=last[1])

    def finish(self, num_segments: int, *, seconds: Fraction) -> None:  # noqa: ARG002
        """Put the segments together."""
        parts = [self._load(segment)["lines"] for segment in range(num_segments)]
        self.times, self.changes, self.shares = np.concatenate(parts).T.copy()
        self.starts = np.array([lines[0, 0] for lines in parts])

    def _last(self, segment: int) -> tuple[Values, Values]:
        part = self._load(segment)
        return part["picture"], part["code"]

    def _load(self, segment: int) -> dict[str, Any]:
        with np.load(self._part(segment)) as arrays:
            return dict(arrays)

    def _part(self, segment: int) -> Path:
        return self.work / f"{segment:06d}_wobble.npz"


def _reduced(shot: Shot) -> tuple[Values, Values]:
    """Return the picture ``(h, w, 3)`` of 255 and the code ``(h, w)``, small."""
    height, width, _ = shot.frame.image.shape
    factor = min(1.0, MAX_SIDE_PX / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    picture = cv2.resize(shot.frame.image, size, interpolation=cv2.INTER_AREA)
    code = cv2.resize(shot.code[0].numpy(), size, interpolation=cv2.INTER_AREA)
    return picture.astype(np.float32), code.astype(np.float32)


def _change(
    picture: Values, code: Values, next_picture: Values, next_code: Values
) -> tuple[float, float]:
    """Return the mean change of the code over still squares, and their share."""
    moved = _blocks(np.abs(next_picture - picture).max(axis=2))
    grey = _blocks(next_picture.mean(axis=2))
    still = (moved.mean(axis=-1) <= MAX_CHANGE) & (grey.std(axis=-1) >= MIN_CONTRAST)
    if not still.any():
        return np.nan, 0.0
    change = _blocks(np.abs(next_code - code)).mean(axis=-1)
    return float(change[still].mean()), float(still.mean())


def _blocks(values: Values) -> Values:
    """Return the pixels of each whole square, ``(rows, columns, pixels)``; at least one square."""
    rows, columns = (max(1, side // BLOCK_PX) for side in values.shape)
    cut = values[: rows * BLOCK_PX, : columns * BLOCK_PX]
    height, width = cut.shape[0] // rows, cut.shape[1] // columns
    squares = cut.reshape(rows, height, columns, width).swapaxes(1, 2)
    return squares.reshape(rows, columns, height * width)
