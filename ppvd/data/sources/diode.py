"""DIODE: laser scans of rooms and of the open, each picture with a mask of what was measured.

I. Vasiljevic et al., DIODE: A Dense Indoor and Outdoor DEpth Dataset, 2019.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError
from ppvd.data.raw import (
    Shot,
    Taken,
    as_map,
    depth_map,
    folders_holding,
    numbered,
    pair,
    pinhole,
    read_array,
    read_picture,
)
from ppvd.data.schema import Split
from ppvd.data.sources.evaluation import EvaluationSource

# The numbers published with the set (886.81, 927.06) are those of another renderer; its pictures
# span about 42.3 by 32.4 degrees (issue 20 of the authors' repository).
WIDTH_DEG, HEIGHT_DEG = 42.3, 32.4


@dataclass(frozen=True, kw_only=True)
class Diode(EvaluationSource):
    """The pictures of one split, indoors and outdoors.

    What the mask leaves out is unknown; all of the rest is kept, however near or far and on
    whichever edge: published protocols differ in what they take of it. The set does not say whether
    depth is planar or along the ray; every benchmark takes it as planar, and so does this.
    """

    split: Split = "val"

    dataset: ClassVar[str] = "diode"
    licence: ClassVar[str] = "MIT"
    frame_bytes: ClassVar[int] = 7 * 2**19
    splits: ClassVar[tuple[Split, ...]] = ("train", "val")
    flags: ClassVar[tuple[str, ...]] = (
        "intrinsics are estimated from the field of view: the published ones are wrong",
        "whether depth is planar z is not documented",
    )

    def shots(self) -> Iterator[Shot]:
        """List the pictures of all scans; a split's own folder may be missing above them."""
        other = {"train", "val"} - {self.split}
        for folder in folders_holding(self.raw, r"\d+_\d+_(indoors|outdoor)_\d+_\d+\.png"):
            if other.isdisjoint(folder.parts):
                yield from self._scan(folder)

    def _scan(self, folder: Path) -> list[Shot]:
        # The two angles that end a name make one number: 200_010 is read as 200010.
        images, depths, masks = (
            numbered(self.raw, folder, rf"\d+_\d+_[a-z]+_(\d+_\d+){ending}")
            for ending in (r"\.png", r"_depth\.npy", r"_depth_mask\.npy")
        )
        scene, scan = (self.raw / folder).resolve().parts[-2:]
        shots = pair(images, depths, scene=scene, sequence=f"{scene}/{scan}")
        return [_with_mask(shot, masks.get(shot.number)) for shot in shots]

    def take(self, shot: Shot) -> Taken:
        """Read picture, depth and mask."""
        picture = read_picture(self.raw / shot.image)
        (mask_file,) = shot.others
        metres, mask = (
            as_map(read_array(self.raw / path), name=path.name) for path in (shot.depth, mask_file)
        )
        if metres.shape != mask.shape:
            raise SampleError(
                f"depth and mask must be of one size, got {metres.shape}, {mask.shape}"
            )
        return self.taken(
            shot,
            picture,
            depth_map(np.where(mask == 1, metres, np.nan)),
            intrinsics=estimated_intrinsics(metres.shape),
            metadata={"place": "indoors" if "indoors" in shot.image.name else "outdoor"},
        )


def estimated_intrinsics(size: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the pinhole matrix of pictures of ``size`` (height, width)."""
    halves = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    fx, fy = np.array(size)[::-1] / 2 / np.tan(np.radians([WIDTH_DEG, HEIGHT_DEG]) / 2)
    return pinhole(fx, fy, *halves)


def _with_mask(shot: Shot, mask: Path | None) -> Shot:
    if mask is None:
        return replace(shot, fault=shot.fault or "its mask file is missing")
    return replace(shot, others=(mask,))
