"""ETH3D: laser scans seen through a 24 megapixel camera (high-resolution multi-view, training).

T. Schoeps et al., A Multi-View Stereo Benchmark with High-Resolution Images, 2017.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ppvd.data.encode import JPEG_SIGNATURE
from ppvd.data.errors import SampleError
from ppvd.data.frame import Metadata
from ppvd.data.raw import (
    Shot,
    Taken,
    camera_to_world,
    depth_map,
    folders_holding,
    numbered,
    pair,
    pinhole,
    read_bytes,
    read_picture,
)
from ppvd.data.sources.colmap import ColmapView, read_views
from ppvd.data.sources.evaluation import EvaluationSource, name_of

# Focal length of the set's cameras as a share of the width, 3411 of 6048 pixels: for downloads
# that come without calibration, such as the copies that other benchmarks hand out.
NOMINAL_FOCAL = 3411 / 6048
CALIBRATION = "dslr_calibration_jpg"


@dataclass(frozen=True, kw_only=True)
class Eth3d(EvaluationSource):
    """All pictures with their raw depth, at full size.

    Depth belongs to the distorted pictures; a file of it is named like a picture and is plain
    float32, row by row. Where the laser saw nothing it is infinite, which is unknown, not sky.
    """

    dataset: ClassVar[str] = "eth3d"
    licence: ClassVar[str] = "CC BY-NC-SA 4.0"
    frame_bytes: ClassVar[int] = 24 * 2**20
    flags: ClassVar[tuple[str, ...]] = (
        "the lens is a fisheye: intrinsics are its pinhole part, see metadata.lens",
    )

    def shots(self) -> Iterator[Shot]:
        """List the pictures of all scenes, however pictures and depth were unpacked."""
        found: dict[str, dict[str, Path]] = {"images": {}, "ground_truth_depth": {}}
        for folder in folders_holding(self.raw, "dslr_images"):
            if folder.name in found:
                found[folder.name][name_of(folder.parent, raw=self.raw)] = folder
        images, depths = found.values()
        for scene in sorted(images.keys() | depths.keys()):
            yield from self._scene(scene, images.get(scene), depths.get(scene))

    def _scene(self, scene: str, images: Path | None, depths: Path | None) -> list[Shot]:
        pictures, maps = (
            {} if folder is None else numbered(self.raw, folder / "dslr_images", r"DSC_(\d+)\.JPG")
            for folder in (images, depths)
        )
        calibration = () if images is None else (images.parent / CALIBRATION / "images.txt",)
        return pair(pictures, maps, scene=scene, sequence=scene, others=calibration)

    def take(self, shot: Shot) -> Taken:
        """Read picture and depth; the camera's pose where the calibration is there."""
        picture = read_picture(self.raw / shot.image)
        size = (picture.image.shape[0], picture.image.shape[1])
        depth = depth_map(read_raw(self.raw / shot.depth, size=size))
        view = self._view(shot)
        metadata: Metadata = {"lens": view.lens if view else "unknown: nominal focal length"}
        return self.taken(
            shot,
            picture,
            depth,
            intrinsics=view.intrinsics if view else nominal_intrinsics(size),
            pose=camera_to_world(view.pose) if view else None,
            metadata=metadata,
        )

    def _view(self, shot: Shot) -> ColmapView | None:
        (images,) = shot.others
        if not (self.raw / images).is_file():
            return None
        return _views(self.raw / images.parent).get(f"dslr_images/{shot.image.name}")


def read_raw(path: Path, *, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the depth map of ``size`` (height, width) that lies in ``path`` as plain float32.

    Raises:
        SampleError: If the file is missing or of another length.
    """
    payload = read_bytes(path)
    if payload.startswith(JPEG_SIGNATURE):
        raise SampleError(f"{path.name} of the depth must be plain float32, but it is a picture")
    if len(payload) != 4 * size[0] * size[1]:
        raise SampleError(
            f"{path.name} of the depth must have {4 * size[0] * size[1]} bytes, one float32 for"
            f" each of {size[1]}x{size[0]} pixels, got {len(payload)}"
        )
    return np.frombuffer(payload, "<f4").reshape(size).astype(np.float32)


def nominal_intrinsics(size: tuple[int, int]) -> NDArray[np.float64]:
    """Return about the pinhole matrix of pictures of ``size`` (height, width)."""
    focal = NOMINAL_FOCAL * size[1]
    return pinhole(focal, focal, (size[1] - 1) / 2, (size[0] - 1) / 2)


@lru_cache(maxsize=16)
def _views(folder: Path) -> dict[str, ColmapView]:
    return read_views(folder)
