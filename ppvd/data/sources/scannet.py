"""ScanNet: rooms before a tablet with a depth sensor, as ``.sens`` scans or as exported frames.

A. Dai et al., ScanNet: Richly-annotated 3D Reconstructions of Indoor Scenes, 2017.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.data.encode import decode_image
from ppvd.data.errors import SampleError, ShardError
from ppvd.data.raw import (
    NO_FILE,
    Picture,
    Shot,
    Taken,
    camera_to_world,
    depth_map,
    folders_holding,
    numbered,
    pair,
    pinhole,
    read_depth_png,
    read_picture,
    read_table,
)
from ppvd.data.sources.evaluation import EvaluationVideos, expect_size, list_revision, name_of
from ppvd.data.sources.sens import SensHeader, frame_places, read_frame, read_header

STEP_M = 1 / 1000
# Largest code of the sensor: no measurement.
OVERFLOW = 65535
# Intrinsics of the depth sensor that most scans have, for copies of the set that come without.
SIZE = (480, 640)
NOMINAL = pinhole(577.870605, 577.870605, 319.5, 239.5)
# As the authors' program exports them, and as their sampled frames come.
INTRINSICS = ("intrinsic/intrinsic_depth.txt", "intrinsics_depth.txt")


@dataclass(frozen=True, kw_only=True)
class ScanNet(EvaluationVideos):
    """Frames of the scans under the folder, pictures shrunk to the size of depth.

    Args:
        keep: Published list: of frames (``scene0406_02/color/000300.jpg ...``, as that of
            the 800 which benchmarks use) or of scans (``scene0707_00``, as the official splits).
            Without it all frames are taken; neighbours hardly differ, so set ``stride``.
    """

    keep: Path | None = None

    dataset: ClassVar[str] = "scannet"
    licence: ClassVar[str] = "ScanNet terms of use: research, by signed agreement"
    frame_bytes: ClassVar[int] = 2**18
    depth_step_m: ClassVar[float | None] = STEP_M

    @cached_property
    def _scans(self) -> dict[str, Path]:
        """Each scan's folder of exported frames or, if there is none, its ``.sens`` file."""
        streams = (
            folder / name.name
            for folder in folders_holding(self.raw, r"scene\d{4}_\d\d\.sens")
            for name in (self.raw / folder).glob("*.sens")
        )
        exported = folders_holding(self.raw, "color")
        found = {path.stem: path for path in streams} | {
            name_of(path, raw=self.raw): path for path in exported
        }
        return dict(sorted(found.items()))

    def shots(self) -> Iterator[Shot]:
        """List the frames of all scans in order, or those that the list names."""
        every: dict[str, list[int]] = {scan: [] for scan in self._scans}
        for scan, numbers in (_read_list(self.keep) if self.keep else every).items():
            found = {shot.number: shot for shot in self._scan(scan)}
            for number in numbers or sorted(found) or [0]:
                yield found.get(number) or _missing(scan, number)

    def notes(self) -> dict[str, object]:
        """Return the list's checksum, and how many scans are streams and how many exported."""
        streams = sum(path.suffix == ".sens" for path in self._scans.values())
        layout = {"sens": streams, "exported": len(self._scans) - streams}
        return {"scans": layout} | list_revision(self.keep)

    def _scan(self, scan: str) -> list[Shot]:
        path = self._scans.get(scan)
        if path is None:
            return []
        return _streamed(self.raw, path) if path.suffix == ".sens" else _exported(self.raw, path)

    def take(self, shot: Shot) -> Taken:
        """Read a frame; lost tracking leaves it without a pose."""
        read = _take_streamed if shot.image.suffix == ".sens" else _take_exported
        picture, codes, intrinsics, pose = read(self.raw, shot)
        metres = np.where(codes == OVERFLOW, 0, codes * STEP_M)
        nominal = intrinsics is None
        picture = _shrunk(picture, codes.shape)
        if nominal:
            expect_size(picture, SIZE)
        return self.taken(
            shot,
            picture,
            depth_map(metres),
            intrinsics=NOMINAL if intrinsics is None else intrinsics,
            pose=None if pose is None else camera_to_world(pose),
            metadata={"intrinsics": "nominal" if nominal else "of the scan's depth sensor"},
        )


Parts = tuple[Picture, NDArray[np.uint16], NDArray[np.float64] | None, NDArray[np.float64] | None]


def _exported(raw: Path, folder: Path) -> list[Shot]:
    images, depths, poses = (
        numbered(raw, folder / part, rf"(\d+)\.{suffix}")
        for part, suffix in (("color", "(?:jpe?g|png)"), ("depth", "png"), ("pose", "txt"))
    )
    name = name_of(folder, raw=raw)
    shots = pair(images, depths, scene=_room(name), sequence=name)
    return [
        replace(shot, others=(poses[shot.number],)) if shot.number in poses else shot
        for shot in shots
    ]


def _take_exported(raw: Path, shot: Shot) -> Parts:
    picture = read_picture(raw / shot.image)
    codes = read_depth_png(raw / shot.depth)
    scan = raw / shot.depth.parents[1]
    found = [scan / name for name in INTRINSICS if (scan / name).is_file()]
    intrinsics = _matrix(found[0])[:3, :3] if found else None
    pose = _matrix(raw / shot.others[0]) if shot.others else None
    return picture, codes, intrinsics, pose


def _matrix(path: Path) -> NDArray[np.float64]:
    try:
        return np.array(read_table(path), np.float64).reshape(4, 4)
    except ValueError as error:
        raise SampleError(f"{path.parent.name}/{path.name} must hold 4x4 numbers") from error


def _streamed(raw: Path, path: Path) -> list[Shot]:
    """List all frames that the scan says it has; those behind the end of the file are unfit."""
    header, places = _opened(raw / path)
    fault = f"the scan breaks off after {len(places)} of {header.num_frames} frames"
    return [
        Shot(
            scene=_room(path.stem),
            sequence=path.stem,
            number=number,
            image=path,
            depth=path,
            fault="" if number < len(places) else fault,
        )
        for number in range(header.num_frames)
    ]


def _take_streamed(raw: Path, shot: Shot) -> Parts:
    header, places = _opened(raw / shot.image)
    frame = read_frame(raw / shot.image, place=places[shot.number], depth_size=header.depth_size)
    if header.steps_per_metre != 1 / STEP_M:
        raise SampleError(f"depth must have 1000 steps a metre, got {header.steps_per_metre}")
    picture = Picture(image=decode_image(frame.colour), payload=frame.colour)
    return picture, frame.steps, header.depth_intrinsics, frame.pose


@lru_cache(maxsize=4)
def _opened(path: Path) -> tuple[SensHeader, tuple[int, ...]]:
    return read_header(path), tuple(frame_places(path))


def _shrunk(picture: Picture, size: tuple[int, ...]) -> Picture:
    """Return the picture at the size of depth: the two are registered (the authors' advice)."""
    if picture.image.shape[:2] == size:
        return picture
    image = cv2.resize(picture.image, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return Picture(image=image.astype(np.uint8, copy=False), payload=None)


def _read_list(path: Path) -> dict[str, list[int]]:
    """Return the frames of each listed scan; none for a scan that is listed as a whole."""
    listed: dict[str, list[int]] = {}
    for words in read_table(path):
        scan, *parts = Path(words[0]).parts
        if len(parts) not in (0, 2) or (parts and not Path(parts[1]).stem.isdigit()):
            raise ShardError(f"keep {path.name} must name frames or scans, got {words[0]}")
        listed.setdefault(scan, []).extend(int(Path(parts[1]).stem) for _ in parts[:1])
    return listed


def _missing(scan: str, number: int) -> Shot:
    return Shot(
        scene=_room(scan),
        sequence=scan,
        number=number,
        image=NO_FILE,
        depth=NO_FILE,
        fault="its scan or frame is missing",
    )


def _room(scan: str) -> str:
    """Return the place that a scan shows: ``scene0406_02`` is the third scan of ``scene0406``."""
    return scan.split("_")[0]
