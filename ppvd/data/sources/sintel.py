"""MPI Sintel: an animated film with the renderer's own depth and cameras.

D. Butler et al., A Naturalistic Open Source Movie for Optical Flow Evaluation, 2012.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError
from ppvd.data.raw import (
    Shot,
    Taken,
    depth_map,
    numbered,
    pair,
    read_bytes,
    read_picture,
    sole_folder,
    world_to_camera,
)
from ppvd.data.sources.evaluation import EvaluationVideos

# All binary files of the set begin with this number.
TAG = 202021.25
# The film's sky is a dome far away; what is at least this far is sky (ours). Scenes end at 70 m.
SKY_FROM_M = 1000.0


@dataclass(frozen=True, kw_only=True)
class Sintel(EvaluationVideos):
    """The training part of the film, the only one whose depth is published.

    Args:
        rendering: ``final`` has motion blur and fog, ``clean`` has not.
    """

    rendering: Literal["final", "clean"] = "final"

    dataset: ClassVar[str] = "sintel"
    licence: ClassVar[str] = "MPI Sintel: see the authors' page; Sintel is (c) Blender Foundation"
    frame_bytes: ClassVar[int] = 2**21
    flags: ClassVar[tuple[str, ...]] = ("metres are those of the film's scenes",)

    def shots(self) -> Iterator[Shot]:
        """List the frames of all sequences, numbered from 1 as in the set."""
        root = sole_folder(self.raw, "depth", self.rendering)
        sequences = {
            path.name
            for part in ("depth", self.rendering)
            for path in (self.raw / root / part).iterdir()
            if path.is_dir()
        }
        for name in sorted(sequences):
            yield from self._sequence(root, name)

    def _sequence(self, root: Path, name: str) -> list[Shot]:
        images, depths = (
            numbered(self.raw, root / part / name, rf"frame_(\d+)\.{suffix}")
            for part, suffix in ((self.rendering, "png"), ("depth", "dpt"))
        )
        return pair(images, depths, scene=name, sequence=name)

    def take(self, shot: Shot) -> Taken:
        """Read picture, depth and camera."""
        picture = read_picture(self.raw / shot.image)
        metres = read_dpt(self.raw / shot.depth)
        folder = shot.depth.parents[2] / "camdata_left" / shot.depth.parent.name
        intrinsics, pose = read_cam(self.raw / folder / f"{shot.depth.stem}.cam")
        depth = depth_map(metres, sky=metres >= SKY_FROM_M)
        return self.taken(shot, picture, depth, intrinsics=intrinsics, pose=pose)


def read_dpt(path: Path) -> NDArray[np.float32]:
    """Return the depth map ``(H, W)`` of a ``.dpt`` file: tag, width, height, float32 row by row.

    Raises:
        SampleError: If the file is missing, of another kind or of another length than it says.
    """
    body = _tagged(path)
    width, height = struct.unpack_from("<2i", body) if len(body) >= 8 else (0, 0)
    if min(width, height) < 1 or len(body) != 8 + 4 * width * height:
        raise SampleError(
            f"{path.name} must hold {width}x{height} numbers, got {len(body) - 8} bytes of them"
        )
    return np.frombuffer(body, "<f4", offset=8).reshape(height, width).astype(np.float32)


def read_cam(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return intrinsics and camera-to-world pose of a ``.cam`` file.

    Raises:
        SampleError: If the file is missing, of another kind or of another length.
    """
    body = _tagged(path)
    if len(body) != 8 * 21:
        raise SampleError(f"{path.name} must hold 21 numbers, got {len(body)} bytes of them")
    numbers = np.frombuffer(body, "<f8").astype(np.float64)
    return numbers[:9].reshape(3, 3), world_to_camera(numbers[9:].reshape(3, 4))


def _tagged(path: Path) -> bytes:
    payload = read_bytes(path)
    if payload[:4] != struct.pack("<f", TAG):
        raise SampleError(f"{path.name} must begin with the tag {TAG}, got {payload[:4]!r}")
    return payload[4:]
