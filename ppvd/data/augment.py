"""The random part of a training sample: where it is cut and how it is coloured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ppvd.data.coded import CodedFrame
from ppvd.data.colour import Colour, recolour
from ppvd.data.frame import Frame
from ppvd.data.window import SomeFrame, Window, cut, largest_window

# A code's range is fitted to the cut's depths: fewer pixels than this say nothing (released code).
MIN_VALID = 10
MAX_DRAWS = 10


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Cuts, mirrors and recolours at random; all defaults are ours.

    Args:
        side: Range of the cut's sides as a share of the largest cut that fits, within (0, 1].
        mirror: Probability of mirroring left to right.
        brightness: Largest relative change of brightness, in [0, 1).
        contrast: Largest relative change of contrast, in [0, 1).
        saturation: Largest relative change of saturation, in [0, 1].
        hue: Largest turn of hue, in turns, within [0, 0.5].
        gamma: Largest change of the logarithm of gamma.

    Raises:
        ValueError: If a number is outside its range.
    """

    side: tuple[float, float] = (0.6, 1.0)
    mirror: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.03
    gamma: float = 0.2

    def __post_init__(self) -> None:
        low, high = self.side
        if not 0 < low <= high <= 1:
            raise ValueError(f"side must be a range within (0, 1], got {self.side}")
        limits = {
            "mirror": 1,
            "brightness": 1,
            "contrast": 1,
            "saturation": 1,
            "hue": 0.5,
            "gamma": 2,
        }
        for name, limit in limits.items():
            if not 0 <= getattr(self, name) <= limit:
                raise ValueError(f"{name} must lie in [0, {limit}], got {getattr(self, name)}")

    def __call__(
        self, frame: SomeFrame, *, size: tuple[int, int], rng: np.random.Generator
    ) -> SomeFrame:
        """Return a random view of ``frame`` at ``size`` (height, width).

        A window with fewer than ten valid pixels is drawn again, ten times at most.

        Args:
            frame: What to look at.
            size: Height and width of the result.
            rng: All chance comes from here.
        """
        return self.together([frame], size=size, rng=rng)[0]

    def together(
        self, frames: Sequence[SomeFrame], *, size: tuple[int, int], rng: np.random.Generator
    ) -> list[SomeFrame]:
        """Return one random view of all ``frames`` of a clip: the same cut, the same colours.

        Args:
            frames: What to look at, all of one size; else as in a call.
            size: As in a call.
            rng: As in a call.
        """
        for _ in range(MAX_DRAWS):
            window = self._draw_window(frames[0], size=size, rng=rng)
            views = [cut(frame, window, size=size) for frame in frames]
            if sum(np.count_nonzero(view.valid) for view in views) >= MIN_VALID:
                break
        colour = self._draw_colour(rng)
        return [replace(view, image=recolour(view.image, colour)) for view in views]

    def _draw_window(
        self, frame: Frame | CodedFrame, *, size: tuple[int, int], rng: np.random.Generator
    ) -> Window:
        limits = frame.image.shape[0], frame.image.shape[1]
        height, width = largest_window(limits, size=size, side=rng.uniform(*self.side))
        return Window(
            top=int(rng.integers(limits[0] - height + 1)),
            left=int(rng.integers(limits[1] - width + 1)),
            height=height,
            width=width,
            mirrored=bool(rng.random() < self.mirror),
        )

    def _draw_colour(self, rng: np.random.Generator) -> Colour:
        def around_one(spread: float) -> float:
            return 1 + spread * rng.uniform(-1, 1)

        return Colour(
            gamma=math.exp(self.gamma * rng.uniform(-1, 1)),
            saturation=around_one(self.saturation),
            hue=self.hue * rng.uniform(-1, 1),
            brightness=around_one(self.brightness),
            contrast=around_one(self.contrast),
        )


def centre_cut(frame: SomeFrame, *, size: tuple[int, int]) -> SomeFrame:
    """Return the largest middle part of ``frame`` at ``size``: what training sees unaugmented."""
    limits = frame.image.shape[0], frame.image.shape[1]
    height, width = largest_window(limits, size=size)
    top, left = (limits[0] - height) // 2, (limits[1] - width) // 2
    return cut(frame, Window(top=top, left=left, height=height, width=width), size=size)
