"""Whether a disparity belongs to its two pictures: moved by it, one must look like the other."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Differences count up to so many levels of 255: what one eye alone sees, or a gleam, is no proof.
MOST_LEVELS = 32.0
# Moved, the right view must come so much closer to the left one than unmoved, or so close that
# there is nothing to tell by (ours). Of 60 rendered pairs of rooms, true disparity left 0.30 of the
# difference at most, half or twice the true one 0.62 at least; that of another room left less than
# 0.5 in 23 % of them.
SHARE, LEVELS_ALIKE = 0.5, 1.0


def views_agree(
    left: NDArray[np.uint8], right: NDArray[np.uint8], disparity: NDArray[np.float32]
) -> bool:
    """Return whether the right view, moved by the disparity, looks like the left one.

    A map of other pictures, or of another size, makes nothing alike that was not alike before.
    Views without a known disparity are taken to agree.

    Args:
        left: Left view, ``(H, W, 3)``.
        right: Right view of the same size.
        disparity: Pixels by which what the left view shows at x lies further left in the right
            view, ``(H, W)``; what is not positive is unknown.
    """
    height, width = disparity.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    known = (disparity > 0) & (columns - disparity >= 0)
    if not known.any():
        return True
    shifts = np.where(known, disparity, 0).astype(np.float32)
    moved = cv2.remap(right, columns - shifts, rows, cv2.INTER_LINEAR)
    after, before = (_difference(left, view, known) for view in (moved, right))
    return after <= max(LEVELS_ALIKE, SHARE * before)


def _difference(
    first: NDArray[np.uint8], second: NDArray[np.generic], where: NDArray[np.bool_]
) -> float:
    """Return the mean difference in levels, where ``where``; large ones count as `MOST_LEVELS`."""
    levels = np.abs(first.astype(np.float32) - second.astype(np.float32)).mean(axis=2)
    return float(levels[where].clip(max=MOST_LEVELS).mean())
