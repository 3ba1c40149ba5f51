"""Coloured point clouds from depth maps, and PLY files that common viewers open."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ppvd.geometry.camera import unproject
from ppvd.whole import write_whole

_VERTEX = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")]
)


@dataclass(frozen=True, slots=True)
class PointCloud:
    """Points with colours, in the order of the pixels they come from.

    Attributes:
        points: Camera coordinates (x right, y down, z forward) in metres, float32, ``(N, 3)``.
        colours: Red, green, blue, uint8, ``(N, 3)``.
    """

    points: NDArray[np.float32]
    colours: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.points)


def cloud_from_depth(
    depth: Tensor, image: Tensor, intrinsics: Tensor, valid: Tensor | None = None
) -> PointCloud:
    """Return the points one image sees.

    Args:
        depth: Metres, ``(1, H, W)``.
        image: sRGB in [0, 1], ``(3, H, W)``.
        intrinsics: ``(3, 3)``, pixels of this image.
        valid: Pixels to keep, bool, ``(1, H, W)``; all by default. Points that are not finite
            or not in front of the camera are left out in any case.

    Raises:
        ValueError: If the sizes of depth, image and mask differ.
    """
    size = tuple(depth.shape[-2:])
    if tuple(image.shape) != (3, *size) or tuple(depth.shape) != (1, *size):
        raise ValueError(
            f"depth must have shape (1, H, W) and image (3, H, W), got "
            f"{tuple(depth.shape)} and {tuple(image.shape)}"
        )
    keep = depth.isfinite() & (depth > 0.0)
    if valid is not None:
        if valid.shape != depth.shape:
            raise ValueError(
                f"valid must have depth's shape {tuple(depth.shape)}, got {tuple(valid.shape)}"
            )
        keep = keep & valid
    kept = keep[0].cpu().numpy()
    points = unproject(depth.float(), intrinsics.float()).detach().cpu().numpy()
    colours = (image.detach().float().clamp(0.0, 1.0) * 255.0).round().byte().cpu().numpy()
    return PointCloud(
        points=np.ascontiguousarray(points[:, kept].T),
        colours=np.ascontiguousarray(colours[:, kept].T),
    )


def write_ply(path: str | Path, cloud: PointCloud) -> None:
    """Write ``cloud`` as binary little-endian PLY; the file appears whole or not at all.

    Args:
        path: Where to; an existing file is replaced, the folder must exist.
        cloud: What to write; it may be empty.
    """
    vertices = np.empty(len(cloud), _VERTEX)
    for axis, name in enumerate(("x", "y", "z")):
        vertices[name] = cloud.points[:, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        vertices[name] = cloud.colours[:, channel]
    write_whole(Path(path), _header(len(cloud)) + vertices.tobytes())


def _header(num_points: int) -> bytes:
    kinds = {"<f4": "float", "|u1": "uchar"}
    properties = [f"property {kinds[_VERTEX[name].str]} {name}" for name in _VERTEX.names or ()]
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        "comment camera coordinates in metres: x right, y down, z forward",
        f"element vertex {num_points}",
        *properties,
        "end_header",
    ]
    return ("\n".join(lines) + "\n").encode("ascii")
