"""TartanAir (first release): flights through 18 rendered environments (W. Wang et al., 2020).

About 306600 left pictures of 640x480 with planar depth in metres. Poses are in the axes of a
vehicle: x forward, y right, z down, for the camera and for the world. There is no official
validation set; the trajectories that DROID-SLAM holds out are one here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError
from ppvd.data.raw import (
    SKY_BEYOND_M,
    Shot,
    Taken,
    VideoSource,
    as_map,
    camera_to_world,
    depth_map,
    folders_holding,
    numbered,
    pair,
    pinhole,
    read_array,
    read_picture,
    read_table,
    rotation_from_quaternion,
)
from ppvd.data.schema import Split

# Our axes from those of a vehicle: right, down, forward.
FROM_VEHICLE = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64)
# Held out by DROID-SLAM: environment, easy trajectories, hard ones.
HELD_OUT = """
abandonedfactory 11 11
abandonedfactory_night 13 14
amusement 8 7
carwelding 7 -
endofworld 9 -
gascola 8 9
hospital 36 49
japanesealley 7 5
neighborhood 21 17
ocean 13 9
office - 7
office2 11 10
oldtown 7 8
seasidetown 9 -
seasonsforest 11 6
seasonsforest_winter 9 18
soulcity 12 9
westerndesert 13 7
"""


@dataclass(frozen=True, kw_only=True)
class TartanAir(VideoSource):
    """TartanAir, from the archives image_left and depth_left.

    A fair draw of 30000 pictures, as many as the released code trains on, is --limit 30000.

    Args:
        sky_beyond_m: Depth beyond this is sky, in metres (released code); the sky itself is
            stored some 10 km away.
    """

    sky_beyond_m: float = SKY_BEYOND_M

    dataset: ClassVar[str] = "tartanair"
    licence: ClassVar[str] = "CC BY 4.0"
    frame_bytes: ClassVar[int] = 300_000
    splits: ClassVar[tuple[Split, ...]] = ("train", "val")

    def shots(self) -> Iterable[Shot]:
        """List the trajectories, however often their environment's folder is doubled."""
        held_out = _held_out()
        for folder in folders_holding(self.raw, "image_left"):
            place = self.parts(folder)[-3:]
            if (place in held_out) != (self.split == "val"):
                continue
            images = numbered(self.raw, folder / "image_left", r"(\d+)_left\.png")
            yield from pair(
                images,
                numbered(self.raw, folder / "depth_left", r"(\d+)_left_depth\.npy"),
                scene=place[0],
                sequence="/".join(place),
                others=self._poses(folder, num_frames=max(images, default=-1) + 1),
            )

    def _poses(self, folder: Path, *, num_frames: int) -> tuple[Path, ...]:
        """Return the file of poses, unless its lines cannot be told to be those of the frames."""
        path = folder / "pose_left.txt"
        try:
            rows = read_table(self.raw / path)
        except SampleError:
            return ()
        return (path,) if len(rows) == num_frames else ()

    def take(self, shot: Shot) -> Taken:
        """Read one frame."""
        picture = read_picture(self.raw / shot.image)
        metres = as_map(read_array(self.raw / shot.depth), name=shot.depth.name)
        height, width = metres.shape
        # A field of view of 90 degrees around the middle of the picture.
        intrinsics = pinhole(width / 2, width / 2, (width - 1) / 2, (height - 1) / 2)
        return self.taken(
            shot,
            picture,
            depth_map(metres, sky_beyond_m=self.sky_beyond_m),
            intrinsics=intrinsics,
            pose=_pose(self.raw / shot.others[0], shot.number) if shot.others else None,
        )


def _pose(path: Path, number: int) -> NDArray[np.float64] | None:
    """Return camera-to-world of a line ``tx ty tz qx qy qz qw``; None if it is no pose."""
    try:
        values = np.array(read_table(path)[number], np.float64)
    except (ValueError, IndexError):
        return None
    if values.shape != (7,):
        return None
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation_from_quaternion(values[3:]), values[:3]
    return camera_to_world(FROM_VEHICLE @ matrix @ FROM_VEHICLE.T)


def _held_out() -> set[tuple[str, ...]]:
    rows = (line.split() for line in HELD_OUT.split("\n") if line)
    return {
        (environment, level, f"P{int(number):03d}")
        for environment, *numbers in rows
        for level, number in zip(("Easy", "Hard"), numbers, strict=True)
        if number != "-"
    }
