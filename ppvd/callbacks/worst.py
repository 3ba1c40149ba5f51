"""Pictures of the samples that were predicted worst."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.distributed as dist
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from ppvd.batch import DepthBatch
from ppvd.callbacks.panel import PanelSample, draw_panel
from ppvd.callbacks.panels import benchmark_names
from ppvd.callbacks.samples import expect_prediction, file_name, panel_samples
from ppvd.geometry import Alignment
from ppvd.whole import write_png


@dataclass(frozen=True, slots=True)
class _Case:
    badness: float
    value: float
    key: str
    samples: tuple[PanelSample, ...]


class WorstCases(Callback):
    """Draw the samples with the worst score of each benchmark when a test ends.

    The run's folder gets ``worst/<benchmark>_<place>_<key>.png``, the worst first, and TensorBoard
    the main process's share of them. Of a video the first and the last frame are drawn. A score
    that is no number is the worst of all; samples without truth have none.

    Args:
        num_samples: Samples of each benchmark, over all processes.
        score: Name of the score.
        less_is_better: Whether a large score is bad.
        alignment: How a prediction becomes metres where no protocol says it.

    Raises:
        ValueError: If ``num_samples`` is not positive; later, if a step returns no such score.
    """

    def __init__(
        self,
        num_samples: int = 4,
        *,
        score: str = "abs_rel",
        less_is_better: bool = True,
        alignment: Alignment | None = None,
    ) -> None:
        if num_samples < 1:
            raise ValueError(f"num_samples must be at least 1, got {num_samples}")
        self.num_samples = num_samples
        self.score = score
        self.less_is_better = less_is_better
        self.alignment = alignment or Alignment()
        self._folder: Path | None = None
        self._cases: dict[int, list[_Case]] = {}  # by dataloader

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the run's folder; every process must ask for it."""
        self._folder = Path(trainer.log_dir) / "worst" if trainer.log_dir else None

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget an earlier test."""
        self._cases.clear()

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the worst samples so far."""
        found = expect_prediction(outputs, needed_by="WorstCases")
        cases = self._cases.setdefault(dataloader_idx, [])
        for index, scores in enumerate(self._scores(found)):
            value = float(scores[self.score])
            if value != value and not bool(batch["valid"][index].any()):
                continue
            badness = self._badness(value)
            if len(cases) == self.num_samples and badness <= cases[-1].badness:
                continue
            cases.append(self._case(batch, index, found, badness, value))
            cases.sort(key=lambda case: -case.badness)
            del cases[self.num_samples :]

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the worst samples of all processes, each by the process that has it."""
        for index, name in enumerate(benchmark_names(trainer.test_dataloaders)):
            cases = self._cases.get(index, [])
            places = _places([(case.badness, case.key) for case in cases])
            for case in cases:
                if places[case.key] < self.num_samples:
                    self._draw(trainer, name, places[case.key], case)
        self._cases.clear()

    def _scores(self, found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        scores: list[Mapping[str, Any]] = list(found.get("scores", ()))
        if not scores or self.score not in scores[0]:
            known = sorted(scores[0]) if scores else []
            raise ValueError(f"score must be one that test_step returns, {known}, got {self.score}")
        return scores

    def _badness(self, value: float) -> float:
        if value != value:
            return float("inf")
        return value if self.less_is_better else -value

    def _case(
        self, batch: DepthBatch, index: int, found: Mapping[str, Any], badness: float, value: float
    ) -> _Case:
        alignment = found.get("alignment") or self.alignment
        samples = panel_samples(batch, index, found["prediction"], alignment)
        return _Case(badness, value, batch["key"][index], tuple(samples))

    def _draw(self, trainer: Trainer, benchmark: str, place: int, case: _Case) -> None:
        for sample in case.samples:
            sheet = draw_panel(sample)
            if self._folder is not None:
                name = file_name(benchmark, f"{place + 1:02d}", sample.key)
                write_png(self._folder / f"{name}.png", sheet)
            tag = f"worst/{benchmark}/{place + 1:02d}_{self.score}={case.value:.3f}/{sample.key}"
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger) and trainer.is_global_zero:
                    step = trainer.global_step
                    logger.experiment.add_image(tag, sheet, step, dataformats="HWC")


def _places(own: list[tuple[float, str]]) -> dict[str, int]:
    """Return the place of each key among those of all processes, the worst first."""
    parts = [own]
    if dist.is_available() and dist.is_initialized():
        parts = [[] for _ in range(dist.get_world_size())]
        dist.all_gather_object(parts, own)
    everything = sorted({case for part in parts for case in part}, key=lambda c: (-c[0], c[1]))
    return {key: place for place, (_, key) in enumerate(everything)}
