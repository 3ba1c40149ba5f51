"""Rendered scenes: data with exact depth that needs no download."""

from dataclasses import dataclass

import numpy as np

from ppvd.data.encode import Sample
from ppvd.data.schema import Split
from ppvd.data.sources.synthetic import World, render_clip, render_frame

SPLIT_NUMBERS = {"train": 0, "val": 1, "test": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedScenes:
    """One rendered picture, or clip, a sample; each shows a scene of its own.

    Args:
        count: Samples.
        size: Height and width in pixels.
        frames_per_clip: Frames of a clip; None for single pictures.
        world: Rooms and streets, yards with a few plain solids, or walks through these.
        seed: Seed of the whole set.
        split: Splits draw their scenes from separate streams of seeds, so none is in two.

    Raises:
        ValueError: If a count or side is not positive.
    """

    count: int
    size: tuple[int, int]
    frames_per_clip: int | None = None
    world: World = "everyday"
    seed: int = 0
    split: Split = "train"

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count must be at least 1 sample, got {self.count}")
        if min(self.size) < 1:
            raise ValueError(f"size must be a positive height and width, got {self.size}")
        if self.frames_per_clip is not None and self.frames_per_clip < 2:
            raise ValueError(f"frames_per_clip must be at least 2, got {self.frames_per_clip}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")

    @property
    def dataset(self) -> str:
        """The renderer's name."""
        return "synthetic"

    @property
    def licence(self) -> str:
        """The pictures are made by this package, under its licence."""
        return "Apache-2.0"

    @property
    def sample_bytes(self) -> int:
        """About one byte a pixel: picture and depth, measured at 256x256."""
        return self.size[0] * self.size[1] * (self.frames_per_clip or 1)

    def describe(self) -> dict[str, object]:
        """Return the arguments; the tool's version stands for the renderer's."""
        return {
            "count": self.count,
            "size": list(self.size),
            "frames_per_clip": self.frames_per_clip,
            "world": self.world,
            "seed": self.seed,
        }

    def __len__(self) -> int:
        return self.count

    def sample(self, index: int) -> Sample:
        """Render sample ``index``."""
        words = np.random.SeedSequence([self.seed, SPLIT_NUMBERS[self.split], index])
        scene_seed = int(words.generate_state(1, np.uint32)[0])
        if self.frames_per_clip is None:
            frames = [render_frame(scene_seed, size=self.size, world=self.world)]
        else:
            frames = render_clip(
                scene_seed, num_frames=self.frames_per_clip, size=self.size, world=self.world
            )
        return Sample(key=f"synthetic/{self.split}-{self.seed}/{index:06d}", frames=tuple(frames))
