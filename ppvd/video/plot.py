"""Curves over time as a picture, without a library for plots."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.video.frame import Picture

WIDTH_PX, HEIGHT_PX = 960, 150  # of a curve
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 84, 16, 30, 22
PAPER, GRID, INK, LINE = (255, 255, 255), (225, 225, 225), (60, 60, 60), (31, 97, 180)
FONT, FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.42


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Numbers over time.

    Attributes:
        title: What they are.
        times: Seconds, rising, ``(N,)``.
        values: Numbers, NaN where there is none, ``(N,)``.
        is_held: Whether a value holds until the next one, as a window's does.
    """

    title: str
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    is_held: bool = False


def draw_curves(curves: Sequence[Curve], *, seconds: float) -> Picture:
    """Draw curves below each other on one axis of time, from 0 to ``seconds``."""
    return np.concatenate([_panel(curve, max(seconds, 1e-9)) for curve in curves])


def _panel(curve: Curve, seconds: float) -> Picture:
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), PAPER, np.uint8)
    low, high = _ends(curve.values)
    right, bottom = WIDTH_PX - RIGHT_PX, HEIGHT_PX - BOTTOM_PX
    _text(picture, curve.title, (LEFT_PX, TOP_PX - 10))
    for value, height in (
        (high, TOP_PX),
        ((low + high) / 2, (TOP_PX + bottom) // 2),
        (low, bottom),
    ):
        cv2.line(picture, (LEFT_PX, height), (right, height), GRID, 1)
        _text(picture, f"{value:.4g}", (6, height + 4))
    _text(picture, "0", (LEFT_PX, HEIGHT_PX - 6))
    _text(picture, f"{seconds:.4g} s", (right - 60, HEIGHT_PX - 6))
    x = LEFT_PX + curve.times / seconds * (right - LEFT_PX)
    y = bottom - (curve.values - low) / (high - low) * (bottom - TOP_PX)
    if curve.is_held:
        x, y = np.repeat(np.append(x, right), 2)[1:-1], np.repeat(y, 2)
    for line in _unbroken(x, y):
        cv2.polylines(
            picture, [line], isClosed=False, color=LINE, thickness=1, lineType=cv2.LINE_AA
        )
    return picture


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return (low, high) if high - low > 1e-6 * max(abs(low), abs(high)) else (low - 0.5, high + 0.5)


def _unbroken(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[NDArray[np.int32]]:
    """Split a curve where it has no value; a lone value becomes a point."""
    known = np.isfinite(y)
    starts = np.flatnonzero(known & ~np.append(False, known[:-1]))
    stops = np.flatnonzero(known & ~np.append(known[1:], False)) + 1
    points = np.stack([x, np.where(known, y, 0.0)], axis=-1).round().astype(np.int32)
    return [points[start:stop] for start, stop in zip(starts, stops, strict=True)]


def _text(picture: Picture, text: str, place: tuple[int, int]) -> None:
    cv2.putText(picture, text, place, FONT, FONT_SCALE, INK, 1, cv2.LINE_AA)
