"""Pictures and point clouds of a few samples, for TensorBoard and as files."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.trainer.states import TrainerFn

from ppvd.batch import DepthBatch
from ppvd.callbacks.cloud import add_cloud, prediction_cloud, truth_cloud
from ppvd.callbacks.panel import PanelSample, draw_panel
from ppvd.callbacks.samples import expect_prediction, file_name, panel_samples
from ppvd.geometry import Alignment
from ppvd.whole import write_png


class Panels(Callback):
    """Show the first samples of each benchmark at the end of validation and test.

    Of a clip, the first and the last frame are shown: under its one scale and shift, the last one
    shows the drift.

    For each: a sheet with image, truth, prediction and error, whole and close up around the
    strongest depth edges; and two point clouds in the image's colours, the truth and the
    prediction with its flying points in red. The main process alone draws.

    TensorBoard gets ``<stage>/<benchmark>/panel/<key>`` and ``.../truth_cloud/<key>``,
    ``.../prediction_cloud/<key>``; the run's folder gets ``panels/<benchmark>_<key>.png``.
    The task's ``validation_step`` and ``test_step`` return a dict whose ``prediction`` is the code
    ``(B, [T,] 1, H, W)`` at the image's size.

    Args:
        num_images: Sheets of each benchmark.
        every_n_epochs: Epochs from one drawing to the next during training.
        max_points: Points of a cloud, thinned on a regular grid of pixels.
        alignment: How a prediction becomes metres where no protocol says it; give the metrics'
            own.
        files: Whether the sheets are written as files too.

    Raises:
        ValueError: If a count is not positive; later, if a step returns no prediction.
    """

    def __init__(
        self,
        num_images: int = 4,
        *,
        every_n_epochs: int = 1,
        max_points: int = 20_000,
        alignment: Alignment | None = None,
        files: bool = True,
    ) -> None:
        counts = {"num_images": num_images, "every_n_epochs": every_n_epochs}
        for name, count in (counts | {"max_points": max_points}).items():
            if count < 1:
                raise ValueError(f"{name} must be at least 1, got {count}")
        self.num_images = num_images
        self.every_n_epochs = every_n_epochs
        self.max_points = max_points
        self.alignment = alignment or Alignment()
        self.files = files
        self._folder: Path | None = None
        self._samples: dict[int, list[PanelSample]] = {}  # by dataloader
        self._truths: set[str] = set()  # tags of clouds that never change

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the run's folder; every process must ask for it."""
        self._folder = Path(trainer.log_dir) / "panels" if trainer.log_dir else None

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the first samples."""
        if self._is_due(trainer):
            self._keep(outputs, batch, dataloader_idx)

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the first samples."""
        if self._is_due(trainer):
            self._keep(outputs, batch, dataloader_idx)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw what was kept."""
        self._draw(trainer, "val", trainer.val_dataloaders)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw what was kept."""
        self._draw(trainer, "test", trainer.test_dataloaders)

    def on_exception(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        exception: BaseException,
    ) -> None:
        """Forget the samples of an evaluation that was cut short."""
        self._samples.clear()

    def _is_due(self, trainer: Trainer) -> bool:
        if not trainer.is_global_zero or trainer.sanity_checking:
            return False
        training = trainer.state.fn == TrainerFn.FITTING
        return not training or (trainer.current_epoch + 1) % self.every_n_epochs == 0

    def _keep(self, outputs: object, batch: DepthBatch, dataloader_idx: int) -> None:
        found = expect_prediction(outputs, needed_by="Panels")
        kept = self._samples.setdefault(dataloader_idx, [])
        sheets = self._sheets(batch, found)
        kept += islice(sheets, self.num_images - len(kept))

    def _sheets(self, batch: DepthBatch, found: Mapping[str, Any]) -> Iterator[PanelSample]:
        """Yield what is drawn of a batch, one by one."""
        alignment = found.get("alignment") or self.alignment
        for index in range(len(batch["key"])):
            yield from panel_samples(batch, index, found["prediction"].float(), alignment)

    def _draw(self, trainer: Trainer, stage: str, dataloaders: object) -> None:
        names = benchmark_names(dataloaders)
        for dataloader_idx, samples in self._samples.items():
            for sample in samples:
                self._draw_one(trainer, stage, names[dataloader_idx], sample)
        self._samples.clear()

    def _draw_one(self, trainer: Trainer, stage: str, benchmark: str, sample: PanelSample) -> None:
        sheet = draw_panel(sample)
        if self.files and self._folder is not None:
            write_png(self._folder / f"{file_name(benchmark, sample.key)}.png", sheet)
        step = trainer.global_step
        for logger in trainer.loggers:
            if not isinstance(logger, TensorBoardLogger):
                continue
            writer, scope = logger.experiment, f"{stage}/{benchmark}"
            writer.add_image(f"{scope}/panel/{sample.key}", sheet, step, dataformats="HWC")
            cloud = prediction_cloud(sample, max_points=self.max_points)
            add_cloud(writer, f"{scope}/prediction_cloud/{sample.key}", cloud, step=step)
            tag = f"{scope}/truth_cloud/{sample.key}"
            if tag not in self._truths:
                self._truths.add(tag)
                cloud = truth_cloud(sample, max_points=self.max_points)
                add_cloud(writer, tag, cloud, step=step)


def benchmark_names(dataloaders: object) -> list[str]:
    """Name the dataloaders of an evaluation: the keys of a dict, else ``data``, ``data_1``, ...

    Args:
        dataloaders: What the trainer was given: one loader, a list, or a dict of them.

    Returns:
        A name for each dataloader index.
    """
    if isinstance(dataloaders, Mapping):
        return list(dataloaders)
    count = len(dataloaders) if isinstance(dataloaders, list | tuple) else 1
    return [f"data_{index}" if index else "data" for index in range(count)]
