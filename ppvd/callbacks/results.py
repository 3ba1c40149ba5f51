"""Every number that leaves an evaluation, with its card: what was measured, of what, and how."""

import csv
import io
import json
import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
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
from ppvd.protocols import Row, flat_row
from ppvd.protocols.describe import describe
from ppvd.whole import write_whole

# How a task samples, where it has such a thing at all.
SAMPLING = ("solver", "grid", "num_steps", "num_samples", "seed", "pixels", "files", "repo")


class ResultsWriter(Callback):
    """Write ``results.json`` into the run's folder when ``test`` or ``validate`` ends.

    It holds each logged value by its name and the card: protocol of each benchmark with its name
    and hash, checkpoint and its hash, hash of the run's ``config.yaml``, version of the code, seed,
    solver, steps and samples where the task has them, precision, hardware, images scored of each
    benchmark (with what a distributed sampler repeats), and time. A value that is no number is
    written as null. ``validate`` writes ``results_validate.json``.

    Beside it, ``scores/<benchmark>.csv`` has a row of scores for each image or video.

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
        stage = "test" if name == self.name else "val"
        scores = {n: float(value) for n, value in trainer.callback_metrics.items()}
        for benchmark, scored in _benchmarks(task).items():
            # As computed; what was logged has lost digits.
            scores |= {f"{stage}/{benchmark}/{n}": value for n, value in scored.means.items()}
            table = self._folder / Path(name).with_suffix("").name.replace("results", "scores")
            write_whole(table / f"{benchmark}.csv", score_table(scored.rows).encode())
        results = {
            "metrics": {n: _number(value) for n, value in scores.items()},
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
        "protocols": {n: b.card(task.unit) for n, b in _benchmarks(task).items()},
        "model_metrics": _metrics(task),
        "sampling": {n: describe(getattr(task, n)) for n in SAMPLING if hasattr(task, n)},
        "checkpoint": _file(trainer.ckpt_path),
        "config": _file(folder / "config.yaml"),
        "code": code_version(),
        "versions": {"torch": torch.__version__, "lightning": lightning.__version__},
        "seed": _whole_number(os.environ.get("PL_GLOBAL_SEED")),
        "precision": str(trainer.precision),
        "device": _device(task.device),
        "num_devices": trainer.world_size,
        "hardware": {"machine": platform.machine(), "system": platform.system(), "cpus": _cpus()},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def score_table(rows: Sequence[Row]) -> str:
    """Return the scores of samples as CSV: key, frames, and a column a score.

    Numbers have all their digits; a score that a sample lacks is empty.
    """
    flat = [flat_row(row) for row in rows]
    names = list(dict.fromkeys(name for scores in flat for name in scores))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["key", "num_frames", *names])
    for row, scores in zip(rows, flat, strict=True):
        writer.writerow([row.key, row.num_frames, *(_cell(scores.get(name)) for name in names)])
    return text.getvalue()


def _cell(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return repr(int(value) if value.is_integer() and abs(value) < 2**53 else value)


def _benchmarks(task: LightningModule) -> Mapping[str, Any]:
    """Return what the task says of each benchmark of its latest pass."""
    return getattr(task, "benchmarks", {})


def _metrics(task: LightningModule) -> dict[str, object]:
    named = task.named_modules()
    return {n.rpartition(".")[2]: describe(one) for n, one in named if isinstance(one, Metric)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _file(path: object) -> dict[str, str] | None:
    if path is None or not Path(str(path)).is_file():
        return None
    return {"path": str(path), "sha256": sha256(Path(str(path)))}


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
