"""UnrealStereo4K: 7720 rendered stereo pairs of 3840x2160 to train on (F. Tosi et al., 2021).

Depth follows from the disparity of the left picture and the distance of the two cameras, which
differs between scenes and is taken from each pair's own extrinsics. Twice the training size in
either direction costs four times the bytes, so 4K pictures are stored at half their size.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError
from ppvd.data.raw import (
    SKY_BEYOND_M,
    Picture,
    RawSource,
    Shot,
    Taken,
    as_map,
    camera_to_world,
    depth_from_disparity,
    depth_map,
    folders_holding,
    numbered,
    pair,
    read_array,
    read_picture,
    read_table,
    scaled,
)
from ppvd.data.schema import Split

# Cameras are given for pictures of this width, also in the smaller download.
FULL_WIDTH = 3840
# The last scene is the authors' test out of domain; the others train (released code).
TEST_SCENES = {"00008"}
# The world's y axis points up, unlike its camera's: mirrored, it is a world like ours.
MIRROR = np.diag([1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class UnrealStereo4K(RawSource):
    """UnrealStereo4K, in full or in the authors' quarter size.

    Args:
        full_size: Store 4K pictures as they are instead of at half their size.
        sky_beyond_m: Depth beyond this is sky, in metres (released code).
    """

    full_size: bool = False
    sky_beyond_m: float = SKY_BEYOND_M

    dataset: ClassVar[str] = "unrealstereo4k"
    licence: ClassVar[str] = "no licence published: research use until its authors say otherwise"
    frame_bytes: ClassVar[int] = 2_000_000
    splits: ClassVar[tuple[Split, ...]] = ("train", "test")

    def shots(self) -> Iterable[Shot]:
        """Pair left pictures and disparities by number, with the extrinsics of both cameras."""
        for folder in folders_holding(self.raw, "Disp0"):
            scene = self.parts(folder)[-1]
            if (scene in TEST_SCENES) != (self.split == "test"):
                continue
            images = numbered(self.raw, folder / "Image0", r"(\d+)\.(?:png|jpe?g)")
            disparities = numbered(self.raw, folder / "Disp0", r"(\d+)\.npy")
            for shot in pair(images, disparities, scene=scene, sequence=scene):
                name = f"{shot.image.stem}.txt"
                cameras = (folder / "Extrinsics0" / name, folder / "Extrinsics1" / name)
                yield replace(shot, others=cameras)

    def take(self, shot: Shot) -> Taken:
        """Read one pair's left view."""
        picture = read_picture(self.raw / shot.image)
        disparity = as_map(read_array(self.raw / shot.depth), name=shot.depth.name)
        if picture.image.shape[:2] != disparity.shape:
            raise SampleError(
                f"picture and disparity must be of one size, got {picture.image.shape[:2]} and"
                f" {disparity.shape}"
            )
        matrix, left = _read_camera(self.raw / shot.others[0])
        _, right = _read_camera(self.raw / shot.others[1])
        intrinsics = scaled(matrix, disparity.shape[1] / FULL_WIDTH)
        baseline_m = float(np.linalg.norm((left @ np.linalg.inv(right))[:3, 3]))
        metres = depth_from_disparity(
            disparity, focal_px=float(intrinsics[0, 0]), baseline_m=baseline_m
        )
        if disparity.shape[1] == FULL_WIDTH and not self.full_size:
            picture, metres, intrinsics = _halved(picture, metres, intrinsics)
        pose, world = _pose(left)
        return self.taken(
            shot,
            picture,
            depth_map(metres, sky_beyond_m=self.sky_beyond_m),
            intrinsics=intrinsics,
            pose=pose,
            metadata={"baseline_m": round(baseline_m, 6), "world": world},
        )


def _read_camera(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return intrinsics and world-to-camera: a line of nine numbers and one of twelve."""
    try:
        numbers = np.array([word for row in read_table(path) for word in row], np.float64)
    except ValueError as error:
        raise SampleError(f"{path.name} must hold numbers: {error}") from error
    if numbers.size != 21 or not np.all(np.isfinite(numbers)):
        raise SampleError(f"{path.name} must hold 9 and 12 finite numbers, got {numbers.size}")
    intrinsics, extrinsics = numbers[:9].reshape(3, 3), np.eye(4)
    extrinsics[:3] = numbers[9:].reshape(3, 4)
    # The published principal point is half of the sides, from the corner of the first pixel.
    intrinsics[:2, 2] -= 0.5
    return intrinsics, extrinsics


def _pose(extrinsics: NDArray[np.float64]) -> tuple[NDArray[np.float64] | None, str]:
    """Return camera-to-world and the kind of world that was met."""
    inverse = np.linalg.inv(extrinsics)
    mirrored = camera_to_world(MIRROR @ inverse)
    return (mirrored, "left-handed") if mirrored is not None else (camera_to_world(inverse), "ours")


def _halved(
    picture: Picture, metres: NDArray[np.float64], intrinsics: NDArray[np.float64]
) -> tuple[Picture, NDArray[np.float64], NDArray[np.float64]]:
    """Return half the size: colour by averaging, depth by taking every other measurement."""
    height, width = metres.shape
    image = cv2.resize(picture.image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    small = Picture(image=image.astype(np.uint8, copy=False), payload=None)
    return small, metres[: height // 2 * 2 : 2, ::2], scaled(intrinsics, 0.5)
