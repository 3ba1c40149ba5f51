"""KITTI: streets before a car, with depth gathered from several sweeps of its laser.

The truth is the improved one of the depth benchmark, sparse, in steps of 1/256 m.

A. Geiger et al., Vision meets Robotics: The KITTI Dataset, 2013; J. Uhrig et al., Sparsity
Invariant CNNs, 2017; D. Eigen et al., Depth Map Prediction from a Single Image, 2014 (the split).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError, ShardError
from ppvd.data.raw import (
    NO_FILE,
    Shot,
    Taken,
    depth_map,
    folders_holding,
    numbered,
    pair,
    pinhole,
    read_depth_png,
    read_picture,
    read_table,
)
from ppvd.data.schema import Split
from ppvd.data.sources.evaluation import EvaluationVideos, list_revision, name_of

STEP_M = 1 / 256
DATE = r"\d{4}_\d\d_\d\d"
DRIVE = rf"{DATE}_drive_\d{{4}}_sync"
CALIBRATION = "calib_cam_to_cam.txt"
TRUTH = Path("proj_depth/groundtruth/image_02")
PICTURES = Path("image_02/data")
NO_TRUTH = "None"

# Focal length and centre of the left colour camera (P_rect_02) on each day of recording, from
# the calibration files, for copies of the set that come without these.
PUBLISHED = {
    "2011_09_26": pinhole(721.5377, 721.5377, 609.5593, 172.8540),
    "2011_09_28": pinhole(707.0493, 707.0493, 604.0814, 180.5066),
    "2011_09_29": pinhole(718.3351, 718.3351, 600.3891, 181.5122),
    "2011_09_30": pinhole(707.0912, 707.0912, 601.8873, 183.1104),
    "2011_10_03": pinhole(718.8560, 718.8560, 607.1928, 185.2157),
}


@dataclass(frozen=True, kw_only=True)
class Kitti(EvaluationVideos):
    """Pictures of the left colour camera that have improved ground truth.

    Args:
        keep: Published list of frames, ``eigen_test_files_with_gt.txt``: a line holds
            picture and ground truth, or ``None`` for the latter (45 of 697 lines, which are not
            among the split's 652). Without it, every frame with ground truth is taken: those of
            the folder ``train`` or ``val`` as the split says, or all for ``test``.
    """

    keep: Path | None = None

    dataset: ClassVar[str] = "kitti"
    licence: ClassVar[str] = "CC BY-NC-SA 3.0"
    splits: ClassVar[tuple[Split, ...]] = ("train", "val", "test")
    depth_step_m: ClassVar[float | None] = STEP_M

    @cached_property
    def _pictures(self) -> dict[str, Path]:
        """Folder of the pictures of each drive."""
        dates = {
            root / date.name
            for root in folders_holding(self.raw, DATE)
            for date in (self.raw / root).iterdir()
        }
        return self._drives(dates, PICTURES)

    @cached_property
    def _truths(self) -> dict[str, Path]:
        """Folder of the ground truth of each drive of the split."""
        roots = folders_holding(self.raw, DRIVE)
        wanted = [
            root
            for root in roots
            if self.split == "test" or name_of(root, raw=self.raw) == self.split
        ]
        return self._drives(wanted, TRUTH)

    def _drives(self, roots: "set[Path] | list[Path]", inside: Path) -> dict[str, Path]:
        return {
            drive.name: drive.relative_to(self.raw) / inside
            for root in roots
            for drive in (self.raw / root).glob("*_drive_*_sync")
            if (drive / inside).is_dir()
        }

    def shots(self) -> Iterator[Shot]:
        """List the frames of the published list, or of all drives of the split."""
        if self.keep is not None:
            yield from self._listed(self.keep)
            return
        for drive, folder in sorted(self._truths.items()):
            depths = numbered(self.raw, folder, r"(\d+)\.png")
            images = {
                number: path
                for number, path in self._numbered_pictures(drive).items()
                if number in depths
            }
            yield from pair(images, depths, scene=drive, sequence=drive)

    def _numbered_pictures(self, drive: str) -> dict[int, Path]:
        folder = self._pictures.get(drive)
        return {} if folder is None else numbered(self.raw, folder, r"(\d+)\.png")

    def _listed(self, keep: Path) -> Iterator[Shot]:
        for line in read_table(keep):
            if len(line) < 2 or not line[0].endswith(".png"):
                raise ShardError(f"keep {keep.name} must name picture and truth, got {line}")
            picture, truth = Path(line[0]), line[1]
            if truth != NO_TRUTH:
                yield self._shot(picture.parts[-4], picture.name)

    def _shot(self, drive: str, name: str) -> Shot:
        image, depth = (
            folders[drive] / name if drive in folders else NO_FILE
            for folders in (self._pictures, self._truths)
        )
        lacks = " and ".join(
            part
            for part, path in (("picture", image), ("ground truth", depth))
            if not (self.raw / path).is_file()
        )
        return Shot(
            scene=drive,
            sequence=drive,
            number=int(Path(name).stem),
            image=image,
            depth=depth,
            fault=f"its {lacks} is missing" if lacks else "",
        )

    def notes(self) -> dict[str, object]:
        """Return the list's checksum and how many of its lines have no ground truth."""
        if self.keep is None:
            return {}
        lines = read_table(self.keep)
        return list_revision(self.keep) | {
            "listed": len(lines),
            "listed_without_truth": sum(line[1] == NO_TRUTH for line in lines),
        }

    def take(self, shot: Shot) -> Taken:
        """Read a frame; a code of 0 is a pixel that no laser beam met."""
        picture = read_picture(self.raw / shot.image)
        codes = read_depth_png(self.raw / shot.depth)
        calibration = self.raw / shot.image.parents[3] / CALIBRATION
        read = calibration.is_file()
        return self.taken(
            shot,
            picture,
            depth_map(codes * STEP_M),
            intrinsics=_calibrated(calibration) if read else _published(shot.sequence),
            metadata={"calibration": CALIBRATION if read else "published for the day"},
        )


@lru_cache(maxsize=8)
def _calibrated(path: Path) -> NDArray[np.float64]:
    for name, *numbers in read_table(path):
        if name == "P_rect_02:":
            matrix = np.array(numbers, np.float64).reshape(3, 4)[:, :3]
            return pinhole(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
    raise SampleError(f"{path.name} must hold P_rect_02, the left colour camera")


def _published(drive: str) -> NDArray[np.float64]:
    day = drive[: len("2011_09_26")]
    if day not in PUBLISHED:
        raise SampleError(f"{CALIBRATION} of {day} is missing, and the day is none of the set's")
    return PUBLISHED[day]
