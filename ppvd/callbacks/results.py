"""Every number that leaves an evaluation, with its card: what was measured, of what, and how."""

import inspect
import json
import math
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from torchmetrics import Metric

from ppvd.batch import DepthBatch
from ppvd.callbacks.panels import benchmark_names
from ppvd.callbacks.provenance import code_version, sha256
from ppvd.whole import write_whole

# How a task samples, where it has such a thing at all.
SAMPLING = ("solver", "grid", "num_steps", "num_samples", "seed", "pixels")


class ResultsWriter(Callback):
    """Write ``results.json`` into the run's folder when ``test`` or ``validate`` ends.

    It holds each logged value by its name and the card: protocol of each metric, checkpoint and
    its hash, hash of the run's ``config.yaml``, version of the code, seed, solver, steps and
    samples where the task has them, precision, device, images scored of each benchmark (with what
    a distributed sampler repeats), and time. A value that is no number is written as null.
    ``validate`` writes ``results_validate.json``.

    Args:
        name: Name of the file of ``test``.
    """

    def __init__(self, name: str = "results.json") -> None:
        self.name = name
        self._folder: Path | None = None
        self._images: dict[int, int] = {}  # by dataloader
        self._start = 0.0

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the run's folder; every process must ask for it."""
        self._folder = Path(trainer.log_dir) if trainer.log_dir else None

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting."""
        self._begin()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting."""
        self._begin()

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count the images."""
        self._count(batch, dataloader_idx)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Count the images."""
        self._count(batch, dataloader_idx)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the results."""
        self._write(trainer, pl_module, self.name, trainer.test_dataloaders)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the results, unless this was a validation within training."""
        if trainer.state.fn == TrainerFn.VALIDATING:
            name = Path(self.name)
            self._write(
                trainer,
                pl_module,
                f"{name.stem}_validate{name.suffix}",
                trainer.val_dataloaders,
            )

    def _begin(self) -> None:
        self._images.clear()
        self._start = time.perf_counter()

    def _count(self, batch: DepthBatch, dataloader_idx: int) -> None:
        seen = self._images.get(dataloader_idx, 0)
        self._images[dataloader_idx] = seen + batch["depth"][..., 0, 0, 0].numel()

    def _write(
        self, trainer: Trainer, task: LightningModule, name: str, dataloaders: object
    ) -> None:
        names = benchmark_names(dataloaders)
        counts = torch.tensor([float(self._images.get(i, 0)) for i in range(len(names))])
        totals = trainer.strategy.reduce(counts.to(task.device), reduce_op="sum")
        if not trainer.is_global_zero or self._folder is None:
            return
        images = {n: int(total) for n, total in zip(names, totals.tolist(), strict=True)}
        results = {
            "metrics": {n: _number(value) for n, value in trainer.callback_metrics.items()},
            "num_images": images,
            "seconds": round(time.perf_counter() - self._start, 3),
            **card(trainer, task, self._folder),
        }
        text = json.dumps(results, indent=2, allow_nan=False) + "\n"
        write_whole(self._folder / name, text.encode())


def card(trainer: Trainer, task: LightningModule, folder: Path) -> dict[str, Any]:
    """Say what the numbers of an evaluation belong to.

    Args:
        trainer: The trainer that evaluates.
        task: What it evaluates.
        folder: The run's folder, where its ``config.yaml`` is.

    Returns:
        Values that JSON can hold, by name.
    """
    return {
        "task": type(task).__name__,
        "protocol": _protocols(task),
        "sampling": {n: _plain(getattr(task, n)) for n in SAMPLING if hasattr(task, n)},
        "checkpoint": _file(trainer.ckpt_path),
        "config": _file(folder / "config.yaml"),
        "code": code_version(),
        "versions": {"torch": torch.__version__, "lightning": lightning.__version__},
        "seed": _whole_number(os.environ.get("PL_GLOBAL_SEED")),
        "precision": str(trainer.precision),
        "device": _device(task.device),
        "num_devices": trainer.world_size,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _protocols(task: LightningModule) -> dict[str, dict[str, Any]]:
    """Describe each metric by its class and the arguments that it keeps under their names."""
    protocols = {}
    for path, metric in task.named_modules():
        if isinstance(metric, Metric):
            kept = [n for n in inspect.signature(type(metric)).parameters if hasattr(metric, n)]
            arguments = {n: _plain(getattr(metric, n)) for n in kept}
            protocols[path.rpartition(".")[2]] = {"class": type(metric).__name__} | arguments
    return protocols


def _plain(value: object) -> Any:  # noqa: ANN401
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return getattr(value, "__name__", None) or repr(value)


def _number(value: torch.Tensor) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _file(path: object) -> dict[str, str] | None:
    if path is None or not Path(str(path)).is_file():
        return None
    return {"path": str(path), "sha256": sha256(Path(str(path)))}


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
