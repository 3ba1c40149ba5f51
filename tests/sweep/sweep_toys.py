"""A task whose score is a bowl over its settings; it learns nothing."""

import os
import signal
import time
from pathlib import Path

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader

from ppvd.scale import StopOnSignal
from ppvd.tasks import DepthTask


class Bowl(DepthTask):
    """Scores ``(x - 2)^2 + (y - 1)^2``, plus what is left of its steps."""

    def __init__(
        self,
        x: float = 0.0,
        y: float = 0.0,
        killed_once: str | None = None,
        awaits: str | None = None,
    ):
        super().__init__(metrics={})
        self.x, self.y, self.killed_once, self.awaits = x, y, killed_once, awaits
        self.weight = torch.nn.Parameter(torch.ones(1))

    divisor = 1

    def predict_code(self, image, *, keys): ...

    def training_step(self, batch, batch_idx):  # noqa: ARG002
        if self.killed_once and self.global_step == 3 and not Path(self.killed_once).exists():
            Path(self.killed_once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.awaits and self.global_step > 1:
            self._await(Path(self.awaits))
        return self.weight.square().sum()

    def _await(self, file):
        """Wait for a file, or until the run is asked to stop."""
        stop = next(one for one in self.trainer.callbacks if isinstance(one, StopOnSignal))
        while not file.exists() and not stop._is_asked:
            Path(self.trainer.log_dir, "waits").touch()
            time.sleep(0.05)

    def on_after_batch_transfer(self, batch, dataloader_idx):  # noqa: ARG002
        return batch

    def validation_step(self, batch, batch_idx, dataloader_idx=0):  # noqa: ARG002
        self.log("val/bowl", (self.x - 2) ** 2 + (self.y - 1) ** 2, batch_size=1)

    def on_validation_start(self): ...
    def on_validation_epoch_end(self): ...

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Nothing(LightningDataModule):
    def train_dataloader(self):
        return DataLoader([{"key": ["a"], "source": ["a"]}] * 4, batch_size=None)

    val_dataloader = train_dataloader
