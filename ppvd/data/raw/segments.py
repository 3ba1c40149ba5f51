"""Cutting videos into segments, each of which becomes one sample."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# Between neighbouring frames of one shot, half of the pixels change depth by less than this
# (ours): a camera that walks 0.2 m a frame towards a wall 2 m away stays at 0.11.
MAX_JUMP = 0.3


def runs(numbers: Sequence[int], *, stride: int = 1) -> list[list[int]]:
    """Return the runs of consecutive numbers in ``numbers``, of each run every ``stride``-th.

    Args:
        numbers: Increasing frame numbers.
        stride: Frames from one that is taken to the next.
    """
    breaks = [0, *(i for i, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1), len(numbers)]
    return [list(numbers[start:stop:stride]) for start, stop in pairwise(breaks) if start < stop]


def cut(run: Sequence[int], length: int) -> list[list[int]]:
    """Return ``run`` in segments of ``length``; a tail shorter than half joins the one before.

    No frame is lost: a whole run shorter than ``length`` is one segment.
    """
    starts = list(range(0, len(run), length))
    if len(starts) > 1 and len(run) - starts[-1] < length / 2:
        starts.pop()
    return [list(run[a:b]) for a, b in pairwise([*starts, len(run)])]


def jumps(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Return whether two depth maps in metres, 0 where unknown, show different shots.

    The median of ``|log z|`` differences of pixels known in both tells; without one that is known
    in both nothing can be told, which is no jump.
    """
    both = (before > 0) & (after > 0)
    if not both.any():
        return False
    change = np.abs(np.log(after[both]) - np.log(before[both]))
    return bool(np.median(change) > MAX_JUMP)
