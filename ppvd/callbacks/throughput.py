"""How fast training runs, how well it uses the device, and how long it waits for data."""

import resource
import time
from contextlib import ExitStack

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from ppvd.batch import DepthBatch
from ppvd.callbacks.interval import interval, require_interval
from ppvd.callbacks.model_flops import ModelFlops, peak_flops, product_dtype

KIB = 1024
TERA = 1e12


class Throughput(Callback):
    """Log the pace of training, the share of time between steps, and memory, now and then.

    ``speed/samples_per_second``, and ``speed/frames_per_second`` of clips, count all processes.
    ``speed/tflops`` is what the model needs for that, in 1e12 operations a second on one device,
    and ``speed/mfu`` its share of the device's peak at the trainer's precision, where that is
    known: the operations of the first step are counted, see ``ModelFlops``.
    ``speed/wait_share`` is the time between two steps, in which the loop waits for data and saves
    checkpoints, over the whole time; ``speed/memory_gib`` is the peak so far, of the device where
    there is one, else of the process; ``data/bad_samples`` counts what the first process's
    readers left out so far, where they count.
    Validation does not count. Only clocks of the host are read: no step waits for the device,
    whose pace shows all the same, because the queue of work to it is short.

    Args:
        every_n_steps: Batches from one value to the next; ``None``: ``trainer.log_every_n_steps``.
        peak_tflops: Peak of one device, in 1e12 operations a second. ``None``: from Lightning's
            table, if the device is in it.

    Raises:
        ValueError: If a number is not positive.
    """

    def __init__(
        self, every_n_steps: int | None = None, *, peak_tflops: float | None = None
    ) -> None:
        require_interval(every_n_steps)
        if peak_tflops is not None and peak_tflops <= 0:
            raise ValueError(f"peak_tflops must be positive, got {peak_tflops}")
        self.every_n_steps = every_n_steps
        self.peak_tflops = peak_tflops
        self._flops: ModelFlops | None = None
        self._counting = ExitStack()
        self._begin(time.perf_counter())

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        if self.peak_tflops is None:
            peak = peak_flops(pl_module.device, product_dtype(trainer.precision))
            self.peak_tflops = peak and peak / TERA
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
        if self._flops is None:
            self._flops = self._counting.enter_context(ModelFlops())

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: torch.Tensor
    ) -> None:
        """Have counted the forward pass."""
        self._counting.close()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Count no further, should it have been the first forward pass that failed."""
        self._counting.close()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
    ) -> None:
        """Count the step, and log at the end of an interval."""
        self._counting.close()
        self._left = time.perf_counter()
        self._worked += self._left - self._entered
        self._samples += len(batch["key"])
        self._frames += _num_frames(batch)
        self._batches += 1
        if self._batches >= interval(self.every_n_steps, trainer):
            self._log(trainer, pl_module.device)
            self._begin(time.perf_counter())

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the validation out."""
        self._left = time.perf_counter()

    def _begin(self, now: float) -> None:
        self._left = self._entered = now
        self._waited = self._worked = 0.0
        self._samples = self._frames = self._batches = 0

    def _log(self, trainer: Trainer, device: torch.device) -> None:
        seconds = max(self._waited + self._worked, 1e-9)
        values = {
            "speed/samples_per_second": self._samples * trainer.world_size / seconds,
            "speed/wait_share": self._waited / seconds,
            "speed/memory_gib": _peak_bytes(device) / KIB**3,
            **self._use(seconds),
        }
        if self._frames:
            values["speed/frames_per_second"] = self._frames * trainer.world_size / seconds
        num_bad = getattr(trainer.train_dataloader, "num_bad", None)
        if num_bad is not None:
            values["data/bad_samples"] = num_bad
        for logger in trainer.loggers:
            logger.log_metrics(values, step=trainer.global_step)

    def _use(self, seconds: float) -> dict[str, float]:
        """Return how much of the device is used."""
        if self._flops is None or not self._flops.total:
            return {}
        tflops = self._flops.total * self._batches / seconds / TERA
        use = {"speed/tflops": tflops}
        if self.peak_tflops:
            use["speed/mfu"] = tflops / self.peak_tflops
        return use


def _num_frames(batch: DepthBatch) -> int:
    """Return how many frames clips have; 0 of images."""
    image = batch.get("image")
    return image.shape[0] * image.shape[1] if image is not None and image.ndim == 5 else 0


def _peak_bytes(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
