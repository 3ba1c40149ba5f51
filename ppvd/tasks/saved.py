"""Predictions that lie in files, scored as if a model made them."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from ppvd.batch import DepthBatch
from ppvd.predictions import PredictionFiles, Suspicions, place
from ppvd.predictions.names import NameIndex
from ppvd.protocols import Unit
from ppvd.tasks.base import DepthTask

_log = logging.getLogger(__name__)


class SavedDepth(DepthTask):
    """Reads saved predictions; only ``test`` and ``validate`` make sense.

    Files are found by the names of the samples. Predictions that run the wrong way, or are
    called metres and are none, stop the test with a sentence: their scores would be worthless.

    Args:
        files: Where the predictions are, and in which format; of several data sets each in a
            folder of its name, if there is one.
        resize: How maps of another size than the truth are resized where the protocol leaves it
            to the model; None refuses them.
        metrics: Scores of an evaluation without protocol; see ``DepthTask``.
    """

    def __init__(
        self,
        files: PredictionFiles,
        *,
        resize: Literal["nearest", "bilinear"] | None = None,
        metrics: dict[str, Metric] | None = None,
    ) -> None:
        super().__init__(metrics=metrics)
        self.files = files
        self.resize = resize
        self.suspicions = Suspicions(files.unit)
        self._indices: dict[str, NameIndex] = {}  # by data set
        self._missing: list[float] = []

    @property
    def unit(self) -> Unit:
        """What the numbers in the files mean."""
        return self.files.unit

    @property
    def divisor(self) -> int:
        """Any size will do."""
        return 1

    def predict_code(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Return what ``predict`` does."""
        return self.predict(image, keys=keys)

    def predict(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Read the maps of images or clips, ``(B, [T,] 1, H, W)``.

        Raises:
            ValueError: If a file is missing, or shows something else.
        """
        num_frames = image.shape[1] if image.ndim == 5 else 1
        maps = torch.stack([self._maps(key, num_frames) for key in keys]).to(image.device)
        return maps if image.ndim == 5 else maps[:, 0]

    def _maps(self, key: str, num_frames: int) -> Tensor:
        paths = self._index().find(key)
        saved = self.files.read(paths[:num_frames])
        self._missing.append(saved.missing)
        if len(saved.values) < num_frames:
            raise ValueError(
                f"predictions of {key} must have {num_frames} frames, got {len(saved.values)}"
            )
        frame, box = self.shown
        mode = self.resize if self._resize == "model" else self._resize
        try:
            placed = place(saved, frame=frame, box=box, mode=mode)
        except ValueError as error:
            raise ValueError(f"{paths[0]}: {error}") from error
        return torch.from_numpy(placed[:num_frames].copy())[:, None]

    def _index(self) -> NameIndex:
        """List the files of the data set that is scored."""
        name = self.scored_now
        if name not in self._indices:
            own = self.files.folder / name
            files = replace(self.files, folder=own) if own.is_dir() else self.files
            self._indices[name] = files.index()
        return self._indices[name]

    def inspect(self, prediction: Tensor, batch: DepthBatch) -> None:
        """Compare predictions with the truth."""
        self.suspicions.add(prediction, batch["depth"], batch["valid"])

    def on_test_epoch_end(self) -> None:
        """Log the scores, unless they would be worthless.

        Raises:
            ValueError: If predictions run the wrong way, or are no metres.
        """
        if complaint := self.suspicions.complaint():
            raise ValueError(complaint)
        if remark := self.suspicions.remark():
            _log.warning(remark)
        missing = sum(self._missing) / max(len(self._missing), 1)
        if missing > 0.0:
            _log.warning("%.2f %% of the pixels had no prediction: far away", 100 * missing)
        super().on_test_epoch_end()
