"""NYUv2's videos: rooms before a Kinect, as it recorded them or exported in step.

N. Silberman et al., Indoor Segmentation and Support Inference from RGBD Images, 2012.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError
from ppvd.data.raw import (
    NO_FILE,
    Picture,
    Shot,
    Taken,
    depth_map,
    folders_holding,
    numbered,
    pair,
    read_bytes,
    read_depth_png,
    read_picture,
)
from ppvd.data.sources.evaluation import EvaluationVideos, expect_size, name_of
from ppvd.data.sources.kinect import INTRINSICS, SIZE, depth_in_picture, undistorted

# A recording's files: letter, second, and the device's own count.
RECORDED = r"[rd]-\d+\.\d+-\d+\.p[pg]m"
# Known to be damaged though it can be read (those who converted the set).
FAULTY = ("d-1315166703.129542-2466101449.pgm",)
PGM_HEADER = re.compile(rb"P5\s+640\s+480\s+\d+\s")


@dataclass(frozen=True, kw_only=True)
class NyuV2Videos(EvaluationVideos):
    """The scenes under the folder, as recorded (``r-*.ppm, d-*.pgm``) or exported in step.

    A recording is brought to pictures with depth of the same pixels by the authors' calibration;
    each depth map goes with the picture nearest in time. An export (``rgb_00000.jpg``,
    ``sync_depth_00000.png``) is in millimetres.

    Args:
        scenes: Take only these scenes, by the names of their folders. Video Depth Anything scores
            basement_0001a bookstore_0001a cafe_0001a classroom_0001a kitchen_0003 office_0004
            playroom_0002 study_0002.
        max_gap_s: Seconds that a depth map and its picture may be apart.
    """

    scenes: tuple[str, ...] = ()
    max_gap_s: float = 0.1

    dataset: ClassVar[str] = "nyuv2videos"
    licence: ClassVar[str] = "NYU Depth v2: for research, cite Silberman et al. 2012"

    def shots(self) -> Iterator[Shot]:
        """List the frames of each scene, a recording's numbered from 0 in order of time."""
        for folder in folders_holding(self.raw, rf"{RECORDED}|sync_depth_\d+\.png"):
            if self.scenes and name_of(folder, raw=self.raw) not in self.scenes:
                continue
            exported = numbered(self.raw, folder, r"sync_depth_(\d+)\.png")
            yield from self._exported(folder, exported) if exported else self._recorded(folder)

    def _exported(self, folder: Path, depths: dict[int, Path]) -> list[Shot]:
        images = numbered(self.raw, folder, r"rgb_(\d+)\.(?:png|jpe?g)")
        name = name_of(folder, raw=self.raw)
        return pair(images, depths, scene=name, sequence=name)

    def _recorded(self, folder: Path) -> Iterator[Shot]:
        pictures, depths = (
            sorted((path.relative_to(self.raw) for path in (self.raw / folder).glob(glob)), key=_at)
            for glob in ("r-*.ppm", "d-*.pgm")
        )
        times = [_at(path) for path in pictures]
        name = name_of(folder, raw=self.raw)
        for number, depth in enumerate(depths):
            image = pictures[_nearest(times, _at(depth))] if pictures else NO_FILE
            yield Shot(
                scene=name,
                sequence=name,
                number=number,
                image=image,
                depth=depth,
                fault=self._fault(image, depth),
            )

    def _fault(self, image: Path, depth: Path) -> str:
        if image == NO_FILE:
            return "its picture file is missing"
        if abs(_at(image) - _at(depth)) > Decimal(str(self.max_gap_s)):
            return f"no picture was taken within {self.max_gap_s} s of it"
        return "it is known to be damaged" if depth.name in FAULTY else ""

    def take(self, shot: Shot) -> Taken:
        """Read a frame."""
        if shot.depth.suffix == ".pgm":
            picture = Picture(image=undistorted(_read_ppm(self.raw / shot.image)), payload=None)
            depth = depth_map(depth_in_picture(read_pgm(self.raw / shot.depth)))
        else:
            picture = read_picture(self.raw / shot.image)
            depth = depth_map(read_depth_png(self.raw / shot.depth) / 1000)
        expect_size(picture, SIZE)
        return self.taken(shot, picture, depth, intrinsics=INTRINSICS)


def read_pgm(path: Path) -> NDArray[np.uint16]:
    """Return the codes of a recorded depth map, which are little-endian against the format's rule.

    Raises:
        SampleError: If the file is missing, of another kind, or not 640x480.
    """
    payload = read_bytes(path)
    header = PGM_HEADER.match(payload)
    if header is None or len(payload) != header.end() + 2 * SIZE[0] * SIZE[1]:
        raise SampleError(f"{path.name} must be a whole PGM of 640x480 codes of 16 bits")
    return np.frombuffer(payload[header.end() :], "<u2").reshape(SIZE).astype(np.uint16)


def _read_ppm(path: Path) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(read_bytes(path), np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None or image.shape != (*SIZE, 3):
        raise SampleError(f"{path.name} must be a whole PPM of 640x480")
    return image.astype(np.uint8, copy=False)


def _at(path: Path) -> Decimal:
    """Return the second in a recorded file's name."""
    return Decimal(path.name.split("-")[1])


def _nearest(times: list[Decimal], time: Decimal) -> int:
    after = bisect_left(times, time)
    around = [place for place in (after - 1, after) if 0 <= place < len(times)]
    return min(around, key=lambda place: abs(times[place] - time))
