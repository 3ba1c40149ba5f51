"""Small sources and shard sets that the tests write themselves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ppvd.data.build import build_shards
from ppvd.data.encode import Sample
from ppvd.data.errors import SampleError
from ppvd.data.frame import Frame

SIZE = (24, 36)


def make_frame(number: int = 0, *, size: tuple[int, int] = SIZE, **changes: object) -> Frame:
    """A slanted plane below a strip of sky, with a column of unknown pixels."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    depth = (2 + number % 7 + 0.1 * rows + 0.05 * columns).astype(np.float32)
    sky = rows < size[0] // 6
    valid = ~sky & (columns != 3)
    image = np.stack([rows * 5 % 256, columns * 5 % 256, 0 * rows + number % 256], axis=-1)
    fields = {
        "image": image.astype(np.uint8),
        "depth": np.where(valid, depth, 0).astype(np.float32),
        "valid": valid,
        "sky": sky,
        "intrinsics": np.array([[30.0, 0, 17.25], [0, 31.0, 11.5], [0, 0, 1]]),
        "pose": np.eye(4),
        "key": f"toy/{number:06d}",
        "scene": f"scene-{number}",
        "index": number,
        "source": (f"file-{number}",),
        "metadata": {"kind": "toy"},
    }
    return Frame(**fields | changes)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class ToySource:
    """Toy frames, some of which may be unfit, or stop the build."""

    count: int
    size: tuple[int, int] = SIZE
    frames_per_clip: int = 1
    unfit: tuple[int, ...] = ()
    stop_at: int | None = None
    prefix: str = "toy"
    lossless: bool = False

    dataset = "toys"
    licence = "CC0"
    sample_bytes = 1000

    def describe(self) -> dict[str, object]:
        return {"count": self.count, "prefix": self.prefix}

    def __len__(self) -> int:
        return self.count

    def sample(self, index: int) -> Sample:
        if index in self.unfit:
            raise SampleError("unfit for tests")
        if index == self.stop_at:
            raise KeyboardInterrupt
        first = index * self.frames_per_clip
        frames = tuple(
            make_frame(first + number, size=self.size) for number in range(self.frames_per_clip)
        )
        key = f"{self.prefix}/{index:06d}"
        return Sample(key=key, frames=frames, lossless=self.lossless)


@pytest.fixture(scope="session")
def frame():
    return make_frame


@pytest.fixture(scope="session")
def toys():
    return ToySource


@pytest.fixture
def build(tmp_path):
    """Build a toy set in a new folder and return the folder."""

    def build(folder: str = "set", *, split: str = "train", shard: int = 4, **toy: object) -> Path:
        source = ToySource(**{"count": 10, **toy})  # type: ignore[arg-type]
        out = tmp_path / folder
        build_shards(source, out, name="toys", split=split, samples_per_shard=shard)
        return out

    return build
