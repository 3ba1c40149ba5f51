"""One decoded picture with its depth: what every source yields, on its way into a shard."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

KEY_PATTERN = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")
"""A key carries no dot: WebDataset splits member names at the first one of the last part."""

Metadata = Mapping[str, str | int | float | bool | list[str] | list[float]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """A colour picture, its depth, and the camera that took it.

    Attributes:
        image: sRGB colour, uint8, ``(H, W, 3)``.
        depth: Depth along the optical axis in metres, float32, ``(H, W)``; 0 where not ``valid``.
        valid: True where ``depth`` is a measurement, bool, ``(H, W)``.
        sky: True where the ray meets nothing, bool, ``(H, W)``; never valid.
        intrinsics: Pinhole matrix in pixels, float64, ``(3, 3)``; the centre of the first pixel
            is (0, 0).
        pose: Camera-to-world matrix in metres, axes x right, y down, z forward (OpenCV), float64,
            ``(4, 4)``; None where the source does not know it.
        key: Name of the frame within its source, of ``a-z 0-9 _ - /``.
        scene: Name of the place; frames of one scene belong to one split.
        index: Number of the frame within its scene, from 0.
        source: Where the frame came from: files relative to the source's root, or a seed.
        metadata: Further facts that JSON can carry.

    Raises:
        ValueError: If shapes, types, states or the key break the rules above.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    valid: NDArray[np.bool_]
    sky: NDArray[np.bool_]
    intrinsics: NDArray[np.float64]
    pose: NDArray[np.float64] | None
    key: str
    scene: str
    index: int
    source: tuple[str, ...]
    metadata: Metadata = field(default_factory=dict)

    @property
    def planes(self) -> dict[str, NDArray[np.generic]]:
        """What belongs to pixels and must not be interpolated."""
        return {"depth": self.depth, "valid": self.valid, "sky": self.sky}

    def __post_init__(self) -> None:
        """Hold the contract where the frame is made, not where it is read."""
        size = self.depth.shape
        _expect("image", self.image, (*size, 3), np.uint8)
        _expect("depth", self.depth, size, np.float32)
        _expect("valid", self.valid, size, np.bool_)
        _expect("sky", self.sky, size, np.bool_)
        _expect("intrinsics", self.intrinsics, (3, 3), np.float64)
        if self.pose is not None:
            _expect("pose", self.pose, (4, 4), np.float64)
        if len(size) != 2:
            raise ValueError(f"depth must have shape (H, W), got {size}")
        if np.any(self.sky & self.valid):
            raise ValueError("sky must not be valid: the two states exclude each other")
        if not KEY_PATTERN.fullmatch(self.key):
            raise ValueError(f"key must be made of a-z 0-9 _ - /, got {self.key!r}")


def _expect(
    name: str, array: NDArray[np.generic], shape: tuple[int, ...], dtype: type[np.generic]
) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"{name} must be {np.dtype(dtype)} of shape {shape}, got {array.dtype} {array.shape}"
        )
