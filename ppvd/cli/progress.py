"""How far a run has come: a bar on a terminal, a line now and then in a file or a pipe."""

import sys
import time
from datetime import timedelta
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ProgressBar, TQDMProgressBar

LOSS = "train/loss"
Numbers = dict[str, int | str | float | dict[str, float]]


def build_progress() -> ProgressBar:
    """Build the one that suits where the output goes."""
    return Bar() if sys.stdout.isatty() else Lines()


class Bar(TQDMProgressBar):
    """Lightning's bar, moved once a second: to show the loss, the host waits for the device.

    Args:
        seconds: Least time between two looks at a training.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        super().__init__()
        self.seconds = seconds
        self._shown = float("-inf")

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,
    ) -> None:
        """Move the bar, if it is time."""
        now = time.perf_counter()
        if now - self._shown < self.seconds and batch_idx + 1 < self.total_train_batches:
            return
        self._shown = now
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def get_metrics(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,  # noqa: ARG002
    ) -> Numbers:
        """Return what is shown beside the bar, read now."""
        return {**trainer.progress_bar_metrics, **_loss(trainer)}


class Lines(ProgressBar):
    """A line at the first step, every few seconds, and at the end.

    Args:
        seconds: Least time between two lines.
    """

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self.seconds = seconds
        self._is_on = True
        self._began = self._said = 0.0
        self._first = 0

    def enable(self) -> None:
        """Speak again."""
        self._is_on = True

    def disable(self) -> None:
        """Be silent."""
        self._is_on = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """Start the clock."""
        self._began, self._said = time.perf_counter(), float("-inf")
        self._first = trainer.global_step

    def on_train_batch_end(self, trainer: L.Trainer, *_: object) -> None:
        """Say how far the training is, if it is time."""
        if self._is_time():
            self._say_training(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """Say where the training ended."""
        if self._is_on:
            self._say_training(trainer)

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,  # noqa: ARG002
        outputs: object,  # noqa: ARG002
        batch: object,  # noqa: ARG002
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Say how far an evaluation is, if it is time."""
        self.has_dataloader_changed(dataloader_idx)
        if self._is_time():
            print(
                f"{_stage(trainer)}: {batch_idx + 1} of {self._total(trainer)} batches", flush=True
            )

    on_test_batch_end = on_predict_batch_end = on_validation_batch_end

    def _total(self, trainer: L.Trainer) -> float:
        if trainer.testing:
            return self.total_test_batches_current_dataloader
        if trainer.predicting:
            return self.total_predict_batches_current_dataloader
        return self.total_val_batches_current_dataloader

    def _is_time(self) -> bool:
        now = time.perf_counter()
        if not self._is_on or now - self._said < self.seconds:
            return False
        self._said = now
        return True

    def _say_training(self, trainer: L.Trainer) -> None:
        step, end = trainer.global_step, trainer.estimated_stepping_batches
        pace = (step - self._first) / max(time.perf_counter() - self._began, 1e-9)
        known = end != float("inf")
        parts = [f"step {step}{f' of {end}' if known else ''}", f"epoch {trainer.current_epoch}"]
        metrics = {**trainer.progress_bar_metrics, **_loss(trainer)}
        parts += [f"{name} {value:.4g}" for name, value in metrics.items()]
        parts.append(f"{pace:.3g} steps/s")
        if known and pace and end > step:
            parts.append(f"{timedelta(seconds=round((end - step) / pace))} left")
        print(", ".join(parts), flush=True)


def _loss(trainer: L.Trainer) -> dict[str, float]:
    """Return the newest training loss, if there is one; the host waits for it."""
    loss = trainer.callback_metrics.get(LOSS)
    return {} if loss is None else {LOSS: float(loss)}


def _stage(trainer: L.Trainer) -> str:
    if trainer.testing:
        return "test"
    return "predict" if trainer.predicting else "validation"
