"""One cut through picture, depth, states and camera together."""

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.data.coded import CodedFrame
from ppvd.data.frame import Frame
from ppvd.geometry import crop_intrinsics, flip_intrinsics, scale_intrinsics

SomeFrame = TypeVar("SomeFrame", bound=Frame | CodedFrame)
# Camera-to-world matrix of a scene mirrored in its x axis: MIRROR @ pose @ MIRROR.
MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rectangle of whole pixels, and whether what it shows is mirrored left to right.

    Attributes:
        top: First row.
        left: First column.
        height: Rows.
        width: Columns.
        mirrored: Whether the cut is mirrored.
    """

    top: int
    left: int
    height: int
    width: int
    mirrored: bool = False


def largest_window(
    frame_size: tuple[int, int], *, size: tuple[int, int], side: float = 1.0
) -> tuple[int, int]:
    """Return height and width of the largest window with the aspect ratio of ``size``.

    Args:
        frame_size: Height and width to fit into.
        size: Height and width whose ratio is kept, up to rounding to whole pixels.
        side: Share of the largest window's sides to take, in (0, 1].
    """
    scale = side * min(frame_size[0] / size[0], frame_size[1] / size[1])
    height, width = (
        min(max(round(scale * length), 1), limit)
        for length, limit in zip(size, frame_size, strict=True)
    )
    return height, width


def cut(frame: SomeFrame, window: Window, *, size: tuple[int, int]) -> SomeFrame:
    """Return what ``window`` shows of ``frame``, resized to ``size`` (height, width).

    The picture is averaged over the area of each new pixel (or interpolated when enlarged). Depth
    and states are those of the old pixel in which the new pixel's centre lies: no value is ever
    made up of two, so no point appears between the two sides of an edge.
    """
    intrinsics = crop_intrinsics(frame.intrinsics, top=window.top, left=window.left)
    intrinsics = scale_intrinsics(
        intrinsics, scale_x=size[1] / window.width, scale_y=size[0] / window.height
    )
    pose = frame.pose
    if window.mirrored:
        intrinsics = flip_intrinsics(intrinsics, width=size[1])
        pose = None if pose is None else MIRROR @ pose @ MIRROR
    planes: dict[str, Any] = {
        name: _sampled(plane, window, size=size) for name, plane in frame.planes.items()
    }
    return replace(
        frame,
        image=_resized(frame.image, window, size=size),
        intrinsics=intrinsics,
        pose=pose,
        **planes,
    )


def _seen(plane: NDArray[Any], window: Window) -> NDArray[Any]:
    return plane[window.top : window.top + window.height, window.left : window.left + window.width]


def _sampled(plane: NDArray[Any], window: Window, *, size: tuple[int, int]) -> NDArray[Any]:
    """Return ``plane`` at the new pixels' centres: a view of it where nothing is resized."""
    seen = _seen(plane, window)
    if seen.shape != size:
        rows, columns = map(_nearest, seen.shape, size)
        seen = seen.take(rows, 0).take(columns, 1)
    return seen[:, ::-1] if window.mirrored else seen


def _nearest(old: int, new: int) -> NDArray[np.int64]:
    """Return the old pixel that holds the centre of each new one, in whole numbers only."""
    return (2 * np.arange(new) + 1) * old // (2 * new)


def _resized(
    image: NDArray[np.uint8], window: Window, *, size: tuple[int, int]
) -> NDArray[np.uint8]:
    seen = _seen(image, window)
    if seen.shape[:2] != size:
        shrinks = size[0] < window.height or size[1] < window.width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        seen = cv2.resize(seen, size[::-1], interpolation=how)
    # Steps back through three-byte pixels take NumPy ten times as long.
    seen = cv2.flip(seen, 1) if window.mirrored else np.ascontiguousarray(seen)
    return seen.astype(np.uint8, copy=False)
