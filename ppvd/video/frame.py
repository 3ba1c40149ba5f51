"""What a video is made of on its way through the network."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One picture of a video.

    Attributes:
        image: sRGB, upright, square pixels, uint8, ``(H, W, 3)``.
        time: Seconds since the first frame.
        repeated: Whether it stands in for a frame that could not be decoded.
    """

    image: Picture
    time: Fraction
    repeated: bool = False

    def tensor(self) -> Tensor:
        """Return the image in [0, 1], float32, ``(3, H, W)``."""
        channels_first = np.ascontiguousarray(np.moveaxis(self.image, -1, 0))
        return torch.from_numpy(channels_first).float().div_(255)


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame with its depth.

    Attributes:
        number: Place in the video, from 0.
        frame: The picture.
        code: Depth code at its size, float32, ``(1, H, W)``, on the CPU.
    """

    number: int
    frame: VideoFrame
    code: Tensor


class FrameSource(Protocol):
    """A video as it is read: once, from its first frame to its last.

    Attributes:
        name: What it is called in messages.
        rate: Frames a second, on average.
        num_frames: How many frames it says it has; ``None`` if it does not say.
    """

    name: str
    rate: Fraction
    num_frames: int | None

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the frames in order, all of one size, at rising times.

        Raises:
            ValueError: If there is no frame at all, or one of another size.
        """
