"""NYUv2: rooms before a Kinect, the 1449 labelled frames.

They come as the authors' one file, ``nyu_depth_v2_labeled.mat`` with ``splits.mat``, or exported
to pictures by others, with the same numbers in their names.

N. Silberman et al., Indoor Segmentation and Support Inference from RGBD Images, 2012.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from ppvd.data.errors import SampleError, ShardError
from ppvd.data.raw import (
    DepthMap,
    Picture,
    Shot,
    Taken,
    depth_map,
    folders_holding,
    numbered,
    pair,
    read_depth_png,
    read_picture,
)
from ppvd.data.schema import Split
from ppvd.data.sources.evaluation import EvaluationSource, expect_size, name_of
from ppvd.data.sources.kinect import INTRINSICS, SIZE

if TYPE_CHECKING:
    import h5py

LABELED = "nyu_depth_v2_labeled.mat"
SPLITS = "splits.mat"
PICTURE = r"rgb_(\d+)\.(?:png|jpe?g)"


@dataclass(frozen=True, kw_only=True)
class NyuV2(EvaluationSource):
    """The labelled frames of one split: 795 to train on, 654 to test on.

    Args:
        filled: Take the depth whose holes the authors painted in; scores are measured on the raw.
    """

    filled: bool = False

    dataset: ClassVar[str] = "nyuv2"
    licence: ClassVar[str] = "NYU Depth v2: for research, cite Silberman et al. 2012"
    splits: ClassVar[tuple[Split, ...]] = ("train", "test")

    def shots(self) -> Iterator[Shot]:
        """List the split's frames, numbered from 1 in the order of the authors' file."""
        files = folders_holding(self.raw, LABELED)
        if files:
            yield from self._labelled(files[0] / LABELED)
            return
        other = {"train", "test"} - {self.split}
        for folder in folders_holding(self.raw, PICTURE):
            if other.isdisjoint(folder.parts):
                yield from self._exported(folder)

    def notes(self) -> dict[str, object]:
        """Return which form the set has."""
        return {"layout": LABELED if folders_holding(self.raw, LABELED) else "exported"}

    def _labelled(self, file: Path) -> list[Shot]:
        splits = file.with_name(SPLITS)
        numbers = read_split(self.raw / splits, self.split)
        scenes = read_scenes(self.raw / file)
        if numbers[-1] > len(scenes):
            raise ShardError(f"{LABELED} must hold frame {numbers[-1]}, got {len(scenes)} frames")
        return [
            Shot(
                scene=scenes[number - 1],
                sequence=scenes[number - 1],
                number=number,
                image=file,
                depth=file,
                others=(splits,),
            )
            for number in numbers
        ]

    def _exported(self, folder: Path) -> list[Shot]:
        name = "filled" if self.filled else "(?:sync_)?depth"
        images = numbered(self.raw, folder, PICTURE)
        depths = numbered(self.raw, folder, rf"{name}_(\d+)\.png")
        scene = name_of(folder, raw=self.raw)
        return pair(images, depths, scene=scene, sequence=scene)

    def take(self, shot: Shot) -> Taken:
        """Read a frame; a depth of 0 is a hole."""
        if shot.image.suffix == ".mat":
            picture, depth = self._from_mat(shot)
        else:
            picture = read_picture(self.raw / shot.image)
            depth = depth_map(read_depth_png(self.raw / shot.depth) / 1000)
        expect_size(picture, SIZE)
        return self.taken(shot, picture, depth, intrinsics=INTRINSICS)

    def _from_mat(self, shot: Shot) -> tuple[Picture, DepthMap]:
        """MATLAB keeps columns first, so every array is seen transposed."""
        with _opened(self.raw / shot.image) as file:
            image = file["images"][shot.number - 1].T
            metres = file["depths" if self.filled else "rawDepths"][shot.number - 1].T
        picture = Picture(image=np.ascontiguousarray(image, np.uint8), payload=None)
        return picture, depth_map(np.ascontiguousarray(metres))


def read_split(path: Path, split: Split) -> list[int]:
    """Return the numbers of the frames of ``split``, from 1, in order, as ``splits.mat`` has them.

    Raises:
        ShardError: If the file is missing or of another kind.
    """
    try:
        indices = scipy.io.loadmat(path)[f"{split}Ndxs"]
    except (OSError, ValueError, KeyError, zlib.error, MatReadError) as error:
        raise ShardError(
            f"{path} must be the authors' list of the splits, and beside {LABELED}: {error}"
        ) from error
    return sorted(map(int, indices.ravel()))


def read_scenes(path: Path) -> list[str]:
    """Return the name of each frame's scene from the authors' file.

    Raises:
        ShardError: If the file is damaged.
    """
    try:
        with _opened(path) as file:
            references = file["scenes"][()].ravel()
            return ["".join(map(chr, file[one][()].ravel())) for one in references]
    except SampleError as error:
        raise ShardError(str(error)) from error


@contextmanager
def _opened(path: Path) -> "Iterator[h5py.File]":
    try:
        import h5py
    except ImportError as error:
        raise ShardError(f"{LABELED} needs h5py: pip install 'ppvd[raw]'") from error
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, RuntimeError) as error:
        raise SampleError(f"{path.name} must be a whole HDF5 file: {error}") from error
