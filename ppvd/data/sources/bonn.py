"""Bonn RGB-D Dynamic: people and balloons before a hand-held structured-light camera.

Colour and depth come from two clocks, and there are more pictures than depth maps, so the nth of
one is not the nth of the other: they are paired by time. Published scores pair them by number,
which `pairing` brings back to compare with them.

E. Palazzolo et al., ReFusion: 3D Reconstruction in Dynamic Environments, 2019.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from ppvd.data.raw import (
    Shot,
    Taken,
    depth_map,
    folders_holding,
    pinhole,
    read_depth_png,
    read_picture,
)
from ppvd.data.sources.associate import associate, read_stamp
from ppvd.data.sources.evaluation import EvaluationVideos, expect_size, name_of

# Published calibration of the colour camera, to which depth is registered; its distortion
# (0.039903, -0.099343, -0.00073, -0.000144) is left in the pictures.
SIZE = (480, 640)
INTRINSICS = pinhole(542.822841, 542.576870, 315.593520, 237.756098)
STEP_M = 1 / 5000


@dataclass(frozen=True, kw_only=True)
class Bonn(EvaluationVideos):
    """The sequences that lie under the folder.

    The poses of the motion capture are left out: they are of a marker on the camera.

    Args:
        pairing: ``time`` pairs a picture with the depth map nearest in time, ``number`` the nth
            with the nth until one of them runs out.
        max_gap_s: Seconds that a picture and its depth map may be apart, if paired by time.
    """

    pairing: Literal["time", "number"] = "time"
    max_gap_s: float = 0.02

    dataset: ClassVar[str] = "bonn"
    licence: ClassVar[str] = "Bonn RGB-D Dynamic: for research, see the authors' page"
    depth_step_m: ClassVar[float | None] = STEP_M
    flags: ClassVar[tuple[str, ...]] = ("lens distortion is left in the pictures",)

    @cached_property
    def _sequences(self) -> dict[Path, tuple[list[Path], list[Path]]]:
        """Pictures and depth maps of each sequence, in order of time."""
        folders = [
            folder
            for folder in folders_holding(self.raw, "depth")
            if (self.raw / folder / "rgb").is_dir()
        ]
        return {
            folder: (self._by_time(folder / "rgb"), self._by_time(folder / "depth"))
            for folder in folders
        }

    def _by_time(self, folder: Path) -> list[Path]:
        files = (path.relative_to(self.raw) for path in (self.raw / folder).glob("*.png"))
        return sorted(files, key=read_stamp)

    def shots(self) -> Iterator[Shot]:
        """List the pairs of each sequence, numbered from 0 in order of time."""
        for folder, (pictures, depths) in self._sequences.items():
            name = name_of(folder, raw=self.raw).removeprefix("rgbd_bonn_")
            for number, (image, depth) in enumerate(self._pairs(pictures, depths)):
                yield Shot(scene=name, sequence=name, number=number, image=image, depth=depth)

    def _pairs(self, pictures: list[Path], depths: list[Path]) -> list[tuple[Path, Path]]:
        if self.pairing == "number":
            return list(zip(pictures, depths, strict=False))
        picture_at, depth_at = ({read_stamp(path): path for path in p} for p in (pictures, depths))
        pairs = associate(picture_at, depth_at, max_gap_s=self.max_gap_s)
        return [(picture_at[first], depth_at[second]) for first, second in pairs]

    def notes(self) -> dict[str, object]:
        """Return how many pictures and depth maps are without a partner."""
        lone = {"pictures_without_depth": 0, "depths_without_picture": 0}
        for pictures, depths in self._sequences.values():
            num_pairs = len(self._pairs(pictures, depths))
            lone["pictures_without_depth"] += len(pictures) - num_pairs
            lone["depths_without_picture"] += len(depths) - num_pairs
        return dict(lone)

    def take(self, shot: Shot) -> Taken:
        """Read a pair."""
        picture = read_picture(self.raw / shot.image)
        expect_size(picture, SIZE)
        codes = read_depth_png(self.raw / shot.depth)
        return self.taken(
            shot,
            picture,
            depth_map(codes * STEP_M),
            intrinsics=INTRINSICS,
            metadata={"picture_s": shot.image.stem, "depth_s": shot.depth.stem},
        )
