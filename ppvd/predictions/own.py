"""Predictions of our models, saved by a test to be scored again."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ppvd.predictions.files import PredictionFiles
from ppvd.predictions.place import SavedMap
from ppvd.protocols import Box, Unit


def own_prediction(
    values: NDArray[np.float32], *, unit: Unit, frame: tuple[int, int], box: Box
) -> bytes:
    """Return the file of one sample.

    Args:
        values: Unaligned predictions, ``(T, H, W)``.
        unit: What they mean.
        frame: Height and width of the whole picture.
        box: Which part of it they show.
    """
    file = io.BytesIO()
    kind = np.array([unit.space, str(int(unit.signed)), str(int(unit.metric))])
    np.savez_compressed(
        file, prediction=values.astype(np.float32), unit=kind, frame=frame, box=tuple(box)
    )
    return file.getvalue()


@dataclass(frozen=True, kw_only=True)
class OwnFiles(PredictionFiles):
    """``<key>.npz`` as ``SavePredictions`` writes them."""

    pattern = "*.npz"

    @property
    def own_unit(self) -> Unit:
        """What the first file says; all are of one model."""
        with np.load(min(self.folder.rglob(self.pattern)), allow_pickle=False) as members:
            space, signed, metric = members["unit"].tolist()
        return Unit(space=space, signed=signed == "1", metric=metric == "1")

    def values(self, path: Path) -> NDArray[np.generic]:
        """Read the maps."""
        with np.load(path, allow_pickle=False) as members:
            array: NDArray[np.generic] = members["prediction"]
        return array

    def read(self, paths: list[Path]) -> SavedMap:
        """Read a sample with what it shows of its picture."""
        plain = super().read(paths)
        with np.load(paths[0], allow_pickle=False) as members:
            height, width = members["frame"].tolist()
            box = Box(*members["box"].tolist())
        return SavedMap(plain.values, (height, width), box, plain.missing)
