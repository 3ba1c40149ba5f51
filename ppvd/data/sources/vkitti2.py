"""Virtual KITTI 2: five rendered drives of 1242x375 in ten variations (Y. Cabon et al., 2020).

Depth is planar, in centimetres; 65535 is sky. Each of the three archives may be unpacked into a
folder of its own or all into one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError
from ppvd.data.raw import (
    SKY_BEYOND_M,
    Shot,
    Taken,
    VideoSource,
    depth_map,
    folders_holding,
    numbered,
    pair,
    pinhole,
    read_depth_png,
    read_picture,
    read_table,
    world_to_camera,
)
from ppvd.data.schema import Split

STEP_M = 0.01
# Those that the released code trains on: no fog, no rain, no turn of 30 degrees.
VARIATIONS = ("clone", "morning", "overcast", "sunset", "15-deg-left", "15-deg-right")
# Marigold validates on this scene; the released code trains on all five.
VALIDATION_SCENE = "Scene01"
# The camera of all frames, for downloads without the archive of texts.
SIZE = (375, 1242)
CAMERA = (725.0087, 725.0087, 620.5, 187.0)


@dataclass(frozen=True, kw_only=True)
class VKITTI2(VideoSource):
    """Virtual KITTI 2.

    Args:
        variations: Variations of each drive.
        variant: released trains on all five scenes; marigold keeps Scene01 for validation.
        sky_beyond_m: Depth beyond this is sky, in metres (released code).
    """

    variations: tuple[str, ...] = VARIATIONS
    variant: Literal["released", "marigold"] = "released"
    sky_beyond_m: float = SKY_BEYOND_M

    dataset: ClassVar[str] = "vkitti2"
    licence: ClassVar[str] = "CC BY-NC-SA 3.0"
    frame_bytes: ClassVar[int] = 400_000
    splits: ClassVar[tuple[Split, ...]] = ("train", "val")
    depth_step_m: ClassVar[float] = STEP_M

    def __post_init__(self) -> None:
        """Refuse a validation set that is trained on."""
        super().__post_init__()
        if self.split == "val" and self.variant == "released":
            raise ValueError("split must be train for variant released, which trains on all scenes")

    def shots(self) -> Iterable[Shot]:
        """Pair the frames of each scene, variation and camera, wherever the archives lie."""
        depths = self._cameras("depth", r"depth_\d+\.png")
        found = folders_holding(self.raw, r"extrinsic\.txt")
        texts = {self.parts(folder)[-2:]: folder for folder in found}
        for place, folder in self._cameras("rgb", r"rgb_\d+\.jpe?g").items():
            scene, variation, camera = place
            if variation not in self.variations or not self._in_split(scene):
                continue
            text = texts.get((scene, variation))
            yield from pair(
                numbered(self.raw, folder, r"rgb_(\d+)\.jpe?g"),
                numbered(self.raw, depths.get(place, folder), r"depth_(\d+)\.png"),
                scene=scene,
                sequence=f"{scene}/{variation}/{camera}",
                others=() if text is None else (text / "intrinsic.txt", text / "extrinsic.txt"),
            )

    def _in_split(self, scene: str) -> bool:
        if self.variant == "released":
            return True
        return (scene == VALIDATION_SCENE) == (self.split == "val")

    def _cameras(self, kind: str, pattern: str) -> dict[tuple[str, ...], Path]:
        """Return the folders of frames by scene, variation and camera."""
        found: dict[tuple[str, ...], Path] = {}
        for folder in folders_holding(self.raw, pattern):
            match self.parts(folder)[-5:]:
                case (scene, variation, "frames", middle, camera) if middle == kind:
                    found[scene, variation, camera] = folder
        return found

    def take(self, shot: Shot) -> Taken:
        """Read one frame with the camera of its texts."""
        picture = read_picture(self.raw / shot.image)
        codes = read_depth_png(self.raw / shot.depth)
        camera = shot.sequence.rpartition("_")[2]
        words = [_row(self.raw / file, shot.number, camera) for file in shot.others]
        intrinsics = _intrinsics(words[0] if words else None, codes.shape)
        row = words[1] if words else None
        return self.taken(
            shot,
            picture,
            # The code of sky is 655.35 m, beyond any bound for what is no sky.
            depth_map(codes * STEP_M, sky_beyond_m=min(self.sky_beyond_m, 655.34)),
            intrinsics=intrinsics,
            pose=None if row is None else world_to_camera(row.reshape(4, 4)),
            metadata={"camera": "own" if words and words[0] is not None else "published"},
        )


def _row(path: Path, number: int, camera: str) -> NDArray[np.float64] | None:
    """Return the numbers behind ``frame camera`` in a table; None if there is no such row."""
    rows: Iterator[list[str]] = iter(read_table(path))
    found = next((row for row in rows if row[:2] == [str(number), camera]), None)
    try:
        return None if found is None else np.array(found[2:], np.float64)
    except ValueError as error:
        raise SampleError(f"{path.name} must hold numbers for frame {number}: {error}") from error


def _intrinsics(row: NDArray[np.float64] | None, size: tuple[int, ...]) -> NDArray[np.float64]:
    if row is not None and row.shape == (4,):
        return pinhole(*row)
    if size != SIZE:
        raise SampleError(f"a frame of size {size} needs a row in intrinsic.txt")
    return pinhole(*CAMERA)
