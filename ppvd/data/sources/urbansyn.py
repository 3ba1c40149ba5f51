"""UrbanSyn: 7539 rendered street views of 2048x1024 (J. Gomez et al., 2023).

The EXR files hold planar depth in units of 100 km. Views are independent of each other, without
poses and without an official split.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError, ShardError
from ppvd.data.raw import (
    SKY_BEYOND_M,
    RawSource,
    Shot,
    Taken,
    depth_map,
    numbered,
    pair,
    pinhole,
    read_exr,
    read_picture,
    sole_folder,
)

UNIT_M = 1e5
# Channels of depth that were seen or that libraries name so by default, the documented one first.
CHANNELS = ("Y", "R", "G", "V", "Z")
SKY_CLASS = 10
CAMERA_NAME = "camera_metadata.json"


@dataclass(frozen=True, kw_only=True)
class UrbanSyn(RawSource):
    """UrbanSyn, from its folders rgb, depth and, where it is there, ss.

    Args:
        sky_beyond_m: Depth beyond this is sky, in metres (released code).
    """

    sky_beyond_m: float = SKY_BEYOND_M

    dataset: ClassVar[str] = "urbansyn"
    licence: ClassVar[str] = "CC BY-SA 4.0"
    frame_bytes: ClassVar[int] = 2_000_000

    def shots(self) -> Iterable[Shot]:
        """Pair pictures and depth by number."""
        root = sole_folder(self.raw, "rgb", "depth")
        images = numbered(self.raw, root / "rgb", r"rgb_(\d+)\.png")
        # An interrupted download leaves some files under a name of its own.
        again = numbered(self.raw, root / "depth", r"depth_(\d+)\.exr\.1")
        depths = again | numbered(self.raw, root / "depth", r"depth_(\d+)\.exr")
        classes = numbered(self.raw, root / "ss", r"ss_(\d+)\.png")
        for shot in pair(images, depths, scene="", sequence="rgb"):
            others = (classes[shot.number],) if shot.number in classes else ()
            # Views are independent: each is a place of its own.
            yield replace(shot, scene=f"{shot.number:04d}", others=others)

    def take(self, shot: Shot) -> Taken:
        """Read one view; sky is what its classes say, and what is too far to be anything else."""
        picture = read_picture(self.raw / shot.image)
        stored, channel = read_exr(self.raw / shot.depth, *CHANNELS)
        sky = self._sky(shot, stored.shape)
        depth = depth_map(stored * UNIT_M, sky=sky, sky_beyond_m=self.sky_beyond_m)
        height, width = stored.shape
        # The lens is given by its sensor, so that the centre of the picture is its principal point.
        fx, fy = (side * share for side, share in zip((width, height), self._camera, strict=True))
        return self.taken(
            shot,
            picture,
            depth,
            intrinsics=pinhole(fx, fy, (width - 1) / 2, (height - 1) / 2),
            metadata={"depth_channel": channel, "classes": bool(shot.others)},
        )

    def _sky(self, shot: Shot, size: tuple[int, ...]) -> NDArray[np.bool_] | None:
        if not shot.others:
            return None
        classes = read_picture(self.raw / shot.others[0]).image[..., 0]
        if classes.shape != size:
            raise SampleError(f"classes and depth must be of one size, got {classes.shape}, {size}")
        sky: NDArray[np.bool_] = classes == SKY_CLASS
        return sky

    @cached_property
    def _camera(self) -> tuple[float, float]:
        """Focal length as a share of the sensor's width and height."""
        path = self.raw / sole_folder(self.raw, "rgb", "depth") / CAMERA_NAME
        try:
            content: Any = json.loads(path.read_bytes())
            lens = content["parameters"][0]["Camera"]
            return (
                lens["focalLength_mm"] / lens["sensorWidth_mm"],
                lens["focalLength_mm"] / lens["sensorHeight_mm"],
            )
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise ShardError(
                f"urbansyn needs {path} with parameters[0].Camera in mm: {error!r}"
            ) from error
