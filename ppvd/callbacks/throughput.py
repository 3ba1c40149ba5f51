"""How fast training runs, and how much of the time it waits for data."""

import resource
import time

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from ppvd.batch import DepthBatch

KIB = 1024


class Throughput(Callback):
    """Log samples a second, the share of time between steps, and memory, now and then.

    ``speed/samples_per_second`` counts all processes; ``speed/wait_share`` is the time between
    two steps, in which the loop waits for data and saves checkpoints, over the whole time;
    ``speed/memory_gib`` is the peak so far, of the device where there is one, else of the process;
    ``data/bad_samples`` counts what the first process's readers left out so far, where they count.
    Validation does not count. Only clocks of the host are read: no step waits for the device,
    whose pace shows all the same, because the queue of work to it is short.

    Args:
        every_n_steps: Batches from one value to the next.

    Raises:
        ValueError: If ``every_n_steps`` is not positive.
    """

    def __init__(self, every_n_steps: int = 50) -> None:
        if every_n_steps < 1:
            raise ValueError(f"every_n_steps must be at least 1, got {every_n_steps}")
        self.every_n_steps = every_n_steps
        self._begin(time.perf_counter())

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._begin(time.perf_counter())

    def on_train_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Count the time since the last step as waiting."""
        self._entered = time.perf_counter()
        self._waited += self._entered - self._left

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
    ) -> None:
        """Count the step, and log at the end of an interval."""
        self._left = time.perf_counter()
        self._worked += self._left - self._entered
        self._samples += len(batch["key"])
        self._batches += 1
        if self._batches >= self.every_n_steps:
            self._log(trainer, pl_module.device)
            self._begin(time.perf_counter())

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the validation out."""
        self._left = time.perf_counter()

    def _begin(self, now: float) -> None:
        self._left = self._entered = now
        self._waited = self._worked = 0.0
        self._samples = self._batches = 0

    def _log(self, trainer: Trainer, device: torch.device) -> None:
        seconds = max(self._waited + self._worked, 1e-9)
        values = {
            "speed/samples_per_second": self._samples * trainer.world_size / seconds,
            "speed/wait_share": self._waited / seconds,
            "speed/memory_gib": _peak_bytes(device) / KIB**3,
        }
        num_bad = getattr(trainer.train_dataloader, "num_bad", None)
        if num_bad is not None:
            values["data/bad_samples"] = num_bad
        for logger in trainer.loggers:
            logger.log_metrics(values, step=trainer.global_step)


def _peak_bytes(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
