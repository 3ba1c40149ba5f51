"""PointOdyssey 1.2: long rendered videos of moving people and animals (Y. Zheng et al., 2023).

131, 15 and 13 videos of 960x540. Depth is planar, in steps of 15 mm, nominally metres. Zero marks
what is far or has no geometry; outdoors that is mostly sky, but indoors it is not, so it is unknown
unless asked otherwise. Earlier versions of the set have wrong depth.
"""

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError
from ppvd.data.raw import (
    Shot,
    Taken,
    VideoSource,
    depth_map,
    folders_holding,
    numbered,
    pair,
    read_depth_png,
    read_picture,
    world_to_camera,
)
from ppvd.data.schema import Split

STEP_M = 1000 / 65535
SKY_CODE = 65535
# Mostly indoor sequences, whose depth is sound; outdoors the ground is wrong in several (CUT3R).
INDOOR = (
    *("cnb_dlab_*", "dancing", "dancingroom0_3rd*", "footlab_*", "girl*", "human_*", "kg*"),
    *("kitchen_gfloor*", "scene_carb_h_tables*", "scene_j716_*", "scene_recording_*"),
    *("scene1_0129*", "seminar_h52_*"),
)


@dataclass(frozen=True, kw_only=True)
class PointOdyssey(VideoSource):
    """PointOdyssey 1.2.

    Args:
        variant: all takes every sequence, as the paper's count of frames suggests; indoor those
            that CUT3R trains on.
        leave_out: Patterns of names of sequences to leave out, such as 'ani*'.
        zero_is_sky: Take depth zero for sky instead of unknown.
    """

    variant: Literal["all", "indoor"] = "all"
    leave_out: tuple[str, ...] = ()
    zero_is_sky: bool = False

    dataset: ClassVar[str] = "pointodyssey"
    licence: ClassVar[str] = "CC BY-NC-SA 4.0"
    frame_bytes: ClassVar[int] = 550_000
    splits: ClassVar[tuple[Split, ...]] = ("train", "val", "test")
    depth_step_m: ClassVar[float] = STEP_M

    def shots(self) -> Iterable[Shot]:
        """Pair the frames of the split's sequences; without anno.npz they have no camera."""
        for folder in folders_holding(self.raw, "rgbs"):
            *_, split, name = self.parts(folder)
            if split != self.split or not self._wanted(name):
                continue
            yield from pair(
                numbered(self.raw, folder / "rgbs", r"rgb_(\d+)\.jpe?g"),
                numbered(self.raw, folder / "depths", r"depth_(\d+)\.png"),
                scene=name,
                sequence=f"{split}/{name}",
                others=(folder / "anno.npz",),
            )

    def _wanted(self, name: str) -> bool:
        if any(fnmatch(name, pattern) for pattern in self.leave_out):
            return False
        return self.variant == "all" or any(fnmatch(name, pattern) for pattern in INDOOR)

    def take(self, shot: Shot) -> Taken:
        """Read one frame with its camera, whose place in anno.npz is the frame's number."""
        picture = read_picture(self.raw / shot.image)
        codes = read_depth_png(self.raw / shot.depth)
        intrinsics, extrinsics = _camera(self.raw / shot.others[0], shot.number)
        sky = codes == SKY_CODE
        return self.taken(
            shot,
            picture,
            depth_map(codes * STEP_M, sky=sky | (codes == 0) if self.zero_is_sky else sky),
            intrinsics=intrinsics,
            pose=world_to_camera(extrinsics),
        )


def _camera(path: Path, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not path.is_file():
        raise SampleError("its anno.npz is missing, which holds the cameras")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            matrices = [arrays[name][number] for name in ("intrinsics", "extrinsics")]
    except IndexError as error:
        raise SampleError(f"anno.npz has no camera for frame {number}") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SampleError(f"anno.npz must hold intrinsics and extrinsics: {error!r}") from error
    return matrices[0].astype(np.float64), matrices[1].astype(np.float64)
