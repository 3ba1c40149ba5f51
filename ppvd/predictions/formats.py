"""In which files others save depth, and what the numbers in them mean."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.predictions.arrays import only, read_array, read_exr, read_member
from ppvd.predictions.files import PredictionFiles
from ppvd.protocols import METRES, Unit

DEPTH, DISPARITY = Unit(space="depth"), Unit(space="disparity")


@dataclass(frozen=True, kw_only=True)
class MarigoldFiles(PredictionFiles):
    """Marigold's evaluation: ``<folders of the data set>/pred_<picture>.npy``, affine depth."""

    pattern = "*.npy"
    own_unit = DEPTH

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read an array."""
        return read_array(path)


@dataclass(frozen=True, kw_only=True)
class MoGeFiles(PredictionFiles):
    """MoGe: ``<picture>/depth.exr``, depth up to scale (MoGe 2: metres), infinite where masked."""

    pattern = "depth.exr"
    own_unit = DEPTH

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read the one channel."""
        return read_exr(path)

    def named(self, path: Path) -> Path:
        """Name a file by its folder."""
        return path.parent.relative_to(self.folder)


@dataclass(frozen=True, kw_only=True)
class VideoDepthAnythingFiles(PredictionFiles):
    """Video Depth Anything: ``<video>_depths.npz`` with ``depths (T, H, W)``, which are disparity.

    Its benchmark writes ``<folders>/<frame>.npy`` instead; both are read.
    """

    pattern = "*.np[yz]"
    own_unit = DISPARITY

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read all frames, or one."""
        return read_array(path) if path.suffix == ".npy" else read_member(path, "depths")


@dataclass(frozen=True, kw_only=True)
class DepthCrafterFiles(PredictionFiles):
    """DepthCrafter: ``<video>.npz`` with ``depth (T, H, W)``, which is disparity in [0, 1]."""

    pattern = "*.npz"
    own_unit = DISPARITY

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read all frames."""
        return read_member(path, "depth")


@dataclass(frozen=True, kw_only=True)
class DepthAnything3Files(PredictionFiles):
    """Depth Anything 3: ``<scene>/exports/mini_npz/results.npz`` with ``depth (N, H, W)``.

    Its benchmark writes ``<scene>/unposed/exports/...``, with its truth in a file beside.
    """

    pattern = "results.npz"
    own_unit = DEPTH

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read all views."""
        return read_member(path, "depth")

    def named(self, path: Path) -> Path:
        """Name a file by the folder above those that its exports have in common."""
        relative = path.relative_to(self.folder).with_suffix("")
        common = ("exports", "mini_npz", "npz", "results")
        own = [part for part in relative.parts if part not in common]
        return Path(*own) if own else relative


@dataclass(frozen=True, kw_only=True)
class NpzFiles(PredictionFiles):
    """``<key>.npz`` with one array: ``depth``, ``disparity`` or ``log``, its name the unit."""

    pattern = "*.npz"

    @property
    def own_unit(self) -> Unit:
        """What the first file says."""
        first = min(self.folder.rglob(self.pattern))
        with np.load(first) as members:
            name = only(list(members), first)
        known = {"depth": DEPTH, "disparity": DISPARITY, "log": Unit(space="log"), "metres": METRES}
        if name not in known:
            raise ValueError(
                f"array of {first} must be called one of {', '.join(known)}, got {name}: or say "
                f"what it is (--unit)"
            )
        return known[name]

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read the array."""
        with np.load(path) as members:
            array: NDArray[np.generic] = members[only(list(members), path)]
        return array


@dataclass(frozen=True, kw_only=True)
class Png16Files(PredictionFiles):
    """``<key>.png`` of 16 bits, metres; 0 is no prediction.

    Args:
        per_metre: Steps of a metre: 1000 are millimetres, 256 KITTI's own.
    """

    per_metre: float = 1000.0

    pattern = "*.png"
    own_unit = METRES

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read the picture as metres.

        Raises:
            ValueError: If it is not of 16 bits.
        """
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.dtype != np.uint16 or picture.ndim != 2:
            got = "no picture" if picture is None else f"{picture.dtype} {picture.shape}"
            raise ValueError(f"{path} must be a grey PNG of 16 bits, got {got}")
        metres = picture.astype(np.float32) / np.float32(self.per_metre)
        return np.where(picture == 0, np.float32(np.nan), metres)


@dataclass(frozen=True, kw_only=True)
class ExrFiles(PredictionFiles):
    """``<key>.exr`` with one channel, depth up to scale and shift."""

    pattern = "*.exr"
    own_unit = DEPTH

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read the channel."""
        return read_exr(path)
