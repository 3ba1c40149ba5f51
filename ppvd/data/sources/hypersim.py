"""Hypersim: 457 rendered rooms, 74619 pictures of 1024x768 (M. Roberts et al., 2021).

What is stored is the Euclidean distance to the camera. 274 of the 482 scenes have tilted or
shifted lenses: their axis is not the sensor's normal, up to 41 degrees off, and the constant focal
length that other converters use is wrong for them, as is the pinhole that their projection matrix
suggests, by up to 221 pixels. The authors' table of cameras holds the exact map from pixels to
rays. Its RQ decomposition shows true pinholes behind the tilts, with square pixels: depth along
*their* axis goes with intrinsics and pose of the frame to the last digit (on the frame that the
authors ship, points from the three lie within 1e-6 m of those on the authors' rays). In 25 scenes a
skew of more than half a pixel remains, which the frame's metadata names.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError, ShardError
from ppvd.data.raw import (
    FROM_OPENGL,
    Picture,
    RawSource,
    Shot,
    Taken,
    as_map,
    camera_to_world,
    depth_map,
    folders_holding,
    pinhole,
    planar_depth,
    read_hdf5,
)
from ppvd.data.raw.lens import Lens, lens_from_rays
from ppvd.data.schema import Split

SPLIT_LIST = "evermotion_dataset/analysis/metadata_images_split_scene_v1.csv"
CAMERA_LIST = "contrib/mikeroberts3000/metadata_camera_parameters.csv"
# Renders that the authors call broken.
BROKEN = {("ai_004_009", "cam_01"), ("ai_038_007", "cam_00")}
# Focal length that other converters take for all scenes, at 1024 pixels of width (Marigold).
COMMON_FOCAL_PX, COMMON_WIDTH = 886.81, 1024
# A line of a filter list: scene, camera and frame, as in ``ai_001_001/rgb_cam_00_fr0000.png``.
LISTED = re.compile(r"(ai_\d+_\d+)[/, ](?:rgb_)?(cam_\d+)(?:_fr|[/, ])(\d+)")
# Tone mapping of the authors: this share of the pixels lies below 0.8 after a gamma of 2.2.
BRIGHT_PERCENT, BRIGHT, GAMMA = 90, 0.8, 2.2
DARK = 1e-4
# A skew that is worth a word.
SMALL_SKEW_PX = 0.01

Frames = dict[tuple[str, str, int], Split]


@dataclass(frozen=True, kw_only=True)
class Hypersim(RawSource):
    """Hypersim, from its scenes' HDF5 files.

    Two tables of the authors' repository are needed beside the scenes: the split and the cameras.

    Args:
        split_list: metadata_images_split_scene_v1.csv; looked for in the root of the download.
        camera_list: metadata_camera_parameters.csv; looked for there too.
        keep: Text file that lists the pictures to keep, such as Marigold's filtered lists.
        planar: exact takes each scene's own lens; marigold one focal length for all, which is
            wrong in most scenes, for scores that are compared with those of others.
    """

    split_list: Path | None = None
    camera_list: Path | None = None
    keep: Path | None = None
    planar: Literal["exact", "marigold"] = "exact"

    dataset: ClassVar[str] = "hypersim"
    licence: ClassVar[str] = "CC BY-SA 3.0"
    frame_bytes: ClassVar[int] = 750_000
    splits: ClassVar[tuple[Split, ...]] = ("train", "val", "test")

    def shots(self) -> Iterable[Shot]:
        """List what the authors released, of the scenes that are there."""
        wanted = defaultdict(list)
        for scene, camera, number in sorted(self._wanted()):
            wanted[scene].append((camera, number))
        for folder in folders_holding(self.raw, r"scene_cam_\d+_final_hdf5"):
            for camera, number in wanted[folder.parent.name]:
                yield _shot(folder.parent, folder.parent.name, camera, number)

    def _wanted(self) -> list[tuple[str, str, int]]:
        released = _read_split(self._table(self.split_list, SPLIT_LIST))
        wanted = [frame for frame, split in released.items() if split == self.split]
        if self.keep is None:
            return wanted
        kept = _read_list(self.keep)
        return [frame for frame in wanted if frame in kept]

    def take(self, shot: Shot) -> Taken:
        """Tone-map the colours and turn distances into planar depth."""
        entity, *poses = (self.raw / file for file in shot.others)
        colour = read_hdf5(self.raw / shot.image)
        if colour.ndim != 3 or colour.shape[2] != 3 or colour.dtype.kind != "f":
            raise SampleError(f"colour must be floats (H, W, 3), got {colour.dtype} {colour.shape}")
        known = read_hdf5(entity) != -1
        distance = as_map(read_hdf5(self.raw / shot.depth), name=shot.depth.name)
        if not colour.shape[:2] == known.shape == distance.shape:
            raise SampleError(f"files must be of one size, got {colour.shape} {distance.shape}")
        lens, scale = self._lens(shot.scene, distance.shape)
        metres = planar_depth(distance, _rays(lens, distance.shape))
        return self.taken(
            shot,
            Picture(image=tone_map(colour.astype(np.float32), known), payload=None),
            depth_map(metres),
            intrinsics=lens.intrinsics,
            pose=_pose(poses[0], poses[1], shot.number, scale=scale, turn=lens.turn),
            metadata={"skew_px": round(lens.skew_px, 3)}
            if abs(lens.skew_px) >= SMALL_SKEW_PX
            else {},
        )

    def _lens(self, scene: str, size: tuple[int, ...]) -> tuple[Lens, float]:
        """Return the lens of a scene for pictures of ``size``, and metres of its unit."""
        if scene not in self._cameras:
            raise SampleError(f"the table of cameras must have a row for {scene}")
        camera, scale = self._cameras[scene]
        height, width = size
        if self.planar == "marigold":
            focal_px = COMMON_FOCAL_PX * width / COMMON_WIDTH
            matrix = pinhole(focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)
            return Lens(intrinsics=matrix, turn=np.eye(3), skew_px=0), scale
        # The table's u and v run from -1 to 1 over the picture, v upward.
        uv = np.array([[2 / width, 0, 1 / width - 1], [0, -2 / height, 1 - 1 / height], [0, 0, 1]])
        return lens_from_rays(FROM_OPENGL[:3, :3] @ camera @ uv), scale

    @cached_property
    def _cameras(self) -> dict[str, tuple[NDArray[np.float64], float]]:
        """Of each scene, the map from (u, v, 1) to rays in axes of OpenGL, and its unit."""
        cameras = {}
        for row in _rows(self._table(self.camera_list, CAMERA_LIST)):
            numbers = [float(row[f"M_cam_from_uv_{i}{j}"]) for i in range(3) for j in range(3)]
            scale = float(row["settings_units_info_meters_scale"])
            cameras[row["scene_name"]] = np.array(numbers).reshape(3, 3), scale
        return cameras

    def _table(self, given: Path | None, place: str) -> Path:
        """Return a table that was given, or lies in the root, or in the authors' repository."""
        name = Path(place).name
        candidates = [given] if given else [self.raw / name, self.raw / place]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        raise ShardError(
            f"hypersim needs {name}, which lies in {Path(place).parent} of the authors' repository"
            f" apple/ml-hypersim: put it into {self.raw}, or name it by an option"
        )


def tone_map(colour: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return sRGB colour of linear light as the authors do, cut to 8 bits as others do.

    Args:
        colour: Linear light, ``(H, W, 3)``; numbers that are not finite are black or white.
        known: True where there is geometry, ``(H, W)``.
    """
    finite = np.nan_to_num(colour, nan=0.0, posinf=float(np.finfo(np.float32).max), neginf=0.0)
    brightness = finite @ np.array([0.3, 0.59, 0.11])
    shown = brightness[known & np.isfinite(colour).all(axis=-1)]
    level = float(np.percentile(shown, BRIGHT_PERCENT)) if shown.size else BRIGHT**GAMMA
    scale = BRIGHT**GAMMA / level if level >= DARK else 0.0
    light: NDArray[np.float64] = (finite.astype(np.float64) * scale).clip(0, 1)
    return (light ** (1 / GAMMA) * 255).astype(np.uint8)


def _shot(folder: Path, scene: str, camera: str, number: int) -> Shot:
    final, geometry = (
        folder / "images" / f"scene_{camera}_{k}_hdf5" for k in ("final", "geometry")
    )
    poses = folder / "_detail" / camera
    return Shot(
        scene=scene,
        sequence=f"{scene}/{camera}",
        number=number,
        image=final / f"frame.{number:04d}.color.hdf5",
        depth=geometry / f"frame.{number:04d}.depth_meters.hdf5",
        others=(
            geometry / f"frame.{number:04d}.render_entity_id.hdf5",
            poses / "camera_keyframe_orientations.hdf5",
            poses / "camera_keyframe_positions.hdf5",
        ),
        fault="a render that the authors call broken" if (scene, camera) in BROKEN else "",
    )


def _rays(lens: Lens, size: tuple[int, ...]) -> NDArray[np.float64]:
    rows, columns = np.mgrid[: size[0], : size[1]]
    fx, fy, cx, cy = (lens.intrinsics[i, j] for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    y = (rows - cy) / fy
    x = (columns - cx - lens.skew_px * y) / fx
    return np.stack([x, y, np.ones(size)], axis=-1)


def _pose(
    orientations: Path, positions: Path, number: int, *, scale: float, turn: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return camera-to-world of a keyframe; None without one, or if its rotation is broken."""
    try:
        rotation, position = read_hdf5(orientations)[number], read_hdf5(positions)[number]
    except (SampleError, IndexError):
        return None
    matrix = np.eye(4)
    matrix[:3, :3] = rotation @ FROM_OPENGL[:3, :3] @ turn.T
    matrix[:3, 3] = position * scale
    return camera_to_world(matrix)


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(newline="") as stream:
        yield from csv.DictReader(stream)


def _read_split(path: Path) -> Frames:
    """Return the split of each frame that was released."""
    return {
        (row["scene_name"], row["camera_name"], int(row["frame_id"])): row["split_partition_name"]  # type: ignore[misc]
        for row in _rows(path)
        if row["included_in_public_release"] == "True"
    }


def _read_list(path: Path) -> set[tuple[str, str, int]]:
    kept = set()
    for line in path.read_text().splitlines():
        match = LISTED.match(line)
        if match is None:
            raise ShardError(f"keep {path} must name scene, camera and frame, got {line!r}")
        kept.add((match[1], match[2], int(match[3])))
    return kept
