"""Keeping the predictions of a test, so that another protocol can be applied to them."""

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from ppvd.batch import DepthBatch
from ppvd.callbacks.panels import benchmark_names
from ppvd.callbacks.samples import expect_prediction
from ppvd.predictions import own_prediction
from ppvd.whole import write_whole


class SavePredictions(Callback):
    """Write the unaligned prediction of each sample of a test into the run's folder.

    ``predictions/<benchmark>/<key>.npz``; ``ppvd rescore`` reads them. A picture of 640 x 480 is
    about a megabyte.

    Raises:
        ValueError: Later, if a step returns no prediction.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._names: list[str] = []

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the run's folder; every process must ask for it."""
        self._folder = Path(trainer.log_dir) / "predictions" if trainer.log_dir else None

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Name the benchmarks."""
        self._names = benchmark_names(trainer.test_dataloaders)

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write the samples of a batch."""
        if self._folder is None:
            return
        found = expect_prediction(outputs, needed_by="SavePredictions")
        folder = self._folder / self._names[dataloader_idx]
        unit: Any = pl_module.unit
        for key, prediction in zip(batch["key"], found["raw"], strict=True):
            values = prediction.flatten(0, -3).float().cpu().numpy()
            content = own_prediction(values, unit=unit, frame=found["frame"], box=found["box"])
            write_whole(folder / f"{key}.npz", content)
