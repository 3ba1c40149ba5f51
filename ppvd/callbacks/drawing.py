"""Pictures with titles, laid out in rows."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # red, green, blue, (H, W, 3)

GAP_PX = 6
BAR_PX = 22
PAPER = (24, 24, 24)
INK = (235, 235, 235)
FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_SCALE = 0.45


def resized(picture: Picture, width: int) -> Picture:
    """Bring a picture to a width: pixels stay visible squares when enlarged, blend when shrunk."""
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    enlarging = width >= picture.shape[1]
    way = cv2.INTER_NEAREST if enlarging else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def titled(picture: Picture, title: str) -> Picture:
    """Put a title above a picture."""
    return np.concatenate([_line(title, picture.shape[1], left=2), picture])


def side_by_side(pictures: Sequence[Picture]) -> Picture:
    """Lay pictures of one height in a row."""
    gap = np.full((pictures[0].shape[0], GAP_PX, 3), PAPER, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)]
    return np.concatenate([*parts, gap], axis=1)


def stacked(rows: Sequence[Picture], caption: str) -> Picture:
    """Lay rows of one width on top of each other, with a caption below."""
    gap = np.full((GAP_PX, rows[0].shape[1], 3), PAPER, np.uint8)
    parts = [part for row in rows for part in (gap, row)]
    return np.concatenate([*parts, gap, _line(caption, rows[0].shape[1], left=GAP_PX + 2)])


def framed(picture: Picture, top: int, left: int, height: int, width: int) -> Picture:
    """Return a copy with a white frame, one pixel wide, around a window of it."""
    copy = picture.copy()
    corner = (left + width - 1, top + height - 1)
    cv2.rectangle(copy, (left, top), corner, (255, 255, 255), 1)
    return copy


def _line(text: str, width: int, *, left: int) -> Picture:
    bar = np.full((BAR_PX, width, 3), PAPER, np.uint8)
    cv2.putText(bar, text, (left, BAR_PX - 7), FONT, FONT_SCALE, INK, 1, cv2.LINE_AA)
    return bar
