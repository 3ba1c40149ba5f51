"""Bringing a saved map to the pixels that are scored."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.protocols import Box

Maps = NDArray[np.float32]
MODES = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR}


@dataclass(frozen=True, slots=True, eq=False)
class SavedMap:
    """Maps of one image or video as they were saved.

    Attributes:
        values: Predictions, float32, ``(T, H, W)``.
        frame: Height and width of the whole picture when they were predicted; None if unknown.
        box: Which part of it the maps show; None if unknown.
        missing: Share of the pixels that had no prediction, in [0, 1].
    """

    values: Maps
    frame: tuple[int, int] | None = None
    box: Box | None = None
    missing: float = 0.0


def place(
    saved: SavedMap,
    *,
    frame: tuple[int, int],
    box: Box,
    mode: Literal["nearest", "bilinear"] | None,
) -> Maps:
    """Return the maps at the pixels of ``box`` in a picture of ``frame`` pixels.

    Maps of unknown origin show the whole picture if they have its size, else the box. They are
    resized if neither fits.

    Args:
        saved: The maps.
        frame: Height and width of the picture.
        box: Which part of it is scored.
        mode: How maps of another size are resized, in their own unit; None refuses them.

    Raises:
        ValueError: If the maps do not show all of the box, or have another size without a mode.
    """
    if saved.box is not None and (saved.frame, saved.box) != (frame, box):
        return _from_known(saved, frame=frame, box=box, mode=mode)
    size = saved.values.shape[-2:]
    if size == frame:
        return saved.values[:, box.rows, box.columns]
    return _resized(saved.values, (box.height, box.width), mode)


def _from_known(
    saved: SavedMap,
    *,
    frame: tuple[int, int],
    box: Box,
    mode: Literal["nearest", "bilinear"] | None,
) -> Maps:
    seen = saved.box
    assert seen is not None
    whole = seen == Box(0, 0, *(saved.frame or ()))
    if whole and saved.frame != frame:
        return _resized(saved.values, frame, mode)[:, box.rows, box.columns]
    top, left = box.top - seen.top, box.left - seen.left
    inside = saved.frame == frame and min(top, left) >= 0
    inside = inside and top + box.height <= seen.height and left + box.width <= seen.width
    if not inside:
        raise ValueError(
            f"predictions must show all that is scored, {tuple(box)} of {frame}, but show "
            f"{tuple(seen)} of {saved.frame}: run the network with this protocol"
        )
    return saved.values[:, top : top + box.height, left : left + box.width]


def _resized(values: Maps, size: tuple[int, int], mode: str | None) -> Maps:
    if values.shape[-2:] == size:
        return values
    if mode is None:
        raise ValueError(
            f"predictions must have the size of what is scored, {size}, got "
            f"{values.shape[-2:]}: say how they are resized (--resize nearest or bilinear)"
        )
    resized = [cv2.resize(one, size[::-1], interpolation=MODES[mode]) for one in values]
    return np.stack(resized).astype(np.float32, copy=False)
