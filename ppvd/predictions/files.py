"""A folder of predictions, whatever is in its files."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ppvd.predictions.names import NameIndex
from ppvd.predictions.place import Maps, SavedMap
from ppvd.protocols import METRES, Unit

UnitName = Literal["depth", "disparity", "log", "metres"]


@dataclass(frozen=True, kw_only=True)
class PredictionFiles(ABC):
    """A folder with predictions of one kind of file.

    Args:
        folder: Where they are.
        unit_name: What the numbers mean, in place of what the format's owner means by them.
    """

    folder: Path
    unit_name: UnitName | None = None

    @property
    @abstractmethod
    def pattern(self) -> str:
        """Glob of the files."""

    @property
    @abstractmethod
    def own_unit(self) -> Unit:
        """What the numbers of the format mean."""

    @abstractmethod
    def values(self, path: Path) -> NDArray[np.generic]:
        """Read a file: one map, ``(H, W)``, or those of a video, ``(T, H, W)``."""

    @property
    def unit(self) -> Unit:
        """What the numbers mean."""
        if self.unit_name is None:
            return self.own_unit
        return METRES if self.unit_name == "metres" else Unit(space=self.unit_name)

    def index(self) -> NameIndex:
        """List the files.

        Raises:
            ValueError: If there is no such folder, or no file of the format in it.
        """
        if not self.folder.is_dir():
            raise ValueError(f"folder of predictions must exist, got {self.folder}")
        paths = sorted(self.folder.rglob(self.pattern))
        if not paths:
            raise ValueError(f"folder {self.folder} must hold {self.pattern}, found none")
        return NameIndex([(path, self.named(path)) for path in paths])

    def named(self, path: Path) -> Path:
        """Return the name by which a file is matched, relative to the folder."""
        return path.relative_to(self.folder).with_suffix("")

    def read(self, paths: list[Path]) -> SavedMap:
        """Read the files of one sample; pixels without a prediction become the farthest ones.

        Raises:
            ValueError: If a file is no map or maps differ in size.
        """
        maps = [_as_maps(self.values(path), path) for path in paths]
        sizes = {one.shape[1:] for one in maps}
        if len(sizes) != 1:
            raise ValueError(f"maps of one video must have one size, got {sorted(sizes)}")
        values = np.concatenate(maps)
        known = np.isfinite(values)
        return SavedMap(_filled(values, known, self.unit), missing=float(np.mean(~known)))


def _filled(values: Maps, known: NDArray[np.bool_], unit: Unit) -> Maps:
    """Return maps whose unknown pixels are as far away as the farthest known one."""
    if known.all() or not known.any():
        return values
    far = values[known].min() if unit.space == "disparity" else values[known].max()
    return np.where(known, values, far)


def _as_maps(values: NDArray[np.generic], path: Path) -> Maps:
    squeezed = np.squeeze(values)
    maps = squeezed[None] if squeezed.ndim == 2 else squeezed
    if maps.ndim != 3 or not np.issubdtype(maps.dtype, np.number):
        raise ValueError(f"{path} must hold maps (H, W) or (T, H, W), got {values.shape}")
    return maps.astype(np.float32)
