"""COLMAP's text files: cameras, and where each picture was taken from.

Lens models beyond the pinhole are kept as the line they stand in; only the pinhole part is
understood here. COLMAP puts the centre of the first pixel at (0.5, 0.5).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ppvd.data.errors import SampleError

# Models with one focal length for both axes; the others we meet have two.
ONE_FOCAL = ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColmapView:
    """One picture of a reconstruction.

    Attributes:
        intrinsics: Pinhole part of its camera, pixels, ``(3, 3)``; the centre of the first pixel
            is (0, 0).
        pose: Camera-to-world matrix, x right, y down, z forward, ``(4, 4)``.
        lens: The camera's line of ``cameras.txt``: model, size, all parameters.
    """

    intrinsics: NDArray[np.float64]
    pose: NDArray[np.float64]
    lens: str


def read_views(folder: Path) -> dict[str, ColmapView]:
    """Return the views of ``folder`` (``cameras.txt``, ``images.txt``) by the picture's name.

    Raises:
        SampleError: If a line cannot be understood.
    """
    lenses = {line.split()[0]: line for line in _lines(folder / "cameras.txt") if line}
    views = {}
    # Two lines a picture: where it is, and the points it sees, which may be an empty line.
    for line in _lines(folder / "images.txt")[::2]:
        if not line:
            continue
        try:
            _, *numbers, camera, name = line.split(maxsplit=9)
            turn, shift = np.array(numbers[:4], np.float64), np.array(numbers[4:], np.float64)
            views[name] = ColmapView(
                intrinsics=_intrinsics(lenses[camera]), pose=_pose(turn, shift), lens=lenses[camera]
            )
        except (ValueError, KeyError) as error:
            raise SampleError(f"images.txt in {folder} must name known cameras: {line}") from error
    return views


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in path.read_text().splitlines()]
    return [line for line in lines if not line.startswith("#")]


def _intrinsics(lens: str) -> NDArray[np.float64]:
    _, model, _, _, *parameters = lens.split()
    fx, *rest = map(float, parameters)
    fy, cx, cy = (fx, *rest[:2]) if model in ONE_FOCAL else rest[:3]
    return np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5], [0, 0, 1]], np.float64)


def _pose(turn: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert the stored world-to-camera motion: quaternion ``w x y z``, then translation."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_quat(turn[[1, 2, 3, 0]]).as_matrix().T
    pose[:3, 3] = -pose[:3, :3] @ shift
    return pose
