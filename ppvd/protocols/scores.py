"""Scores sample by sample, and the means over them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics import Metric

from ppvd.batch import DepthBatch
from ppvd.metrics import ClipMeans

# Names of counts, which are summed where others are averaged; these frames, or whole clips, have
# no value.
COUNT, SKIPPED, CLIPS_SKIPPED = "num_", "num_without_", "num_clips_without_"

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one image or one video.

    Attributes:
        key: Name of the sample.
        num_frames: Frames of the sample; 1 of an image.
        values: Score by name, by name of the metric.
    """

    key: str
    num_frames: int
    values: dict[str, dict[str, float]]


class SampleScores:
    """Scores every sample by itself, so that the mean is the same however they came.

    The means are taken over the rows of all processes in the order of their keys: batch size,
    world size and order change no digit of them.

    Args:
        metrics: By name; each takes what it knows of ``prediction, depth, valid, intrinsics, pose``
            and returns one value or several by name. Names that two metrics share get the metric's
            name in front. Those of clips see an image as a clip of one frame.
        average_over: See ``Protocol``.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        *,
        average_over: Literal["samples", "frames"] = "samples",
    ) -> None:
        self.metrics = dict(metrics)
        self.average_over = average_over
        self._rows: list[tuple[str, int, dict[str, dict[str, Tensor]]]] = []

    def add(self, prediction: Tensor, batch: DepthBatch) -> list[dict[str, Tensor]]:
        """Score the samples of a batch.

        Args:
            prediction: Unaligned, ``(B, [T,] 1, H, W)``.
            batch: The truth.

        Returns:
            The scores of each sample by name, scalars on the prediction's device.
        """
        return [self._add(prediction, batch, index) for index in range(len(batch["key"]))]

    def _add(self, prediction: Tensor, batch: DepthBatch, index: int) -> dict[str, Tensor]:
        one = slice(index, index + 1)
        given = {
            "prediction": prediction[one],
            "depth": batch["depth"][one],
            "valid": batch["valid"][one],
            "intrinsics": batch["intrinsics"][one],
            "pose": batch["pose"][one],
        }
        values = {name: _value(name, metric, given) for name, metric in self.metrics.items()}
        frames = batch["depth"][one, ..., 0, 0, 0].numel()
        self._rows.append((batch["key"][index], frames, values))
        return _flat(values)

    def rows(self) -> list[Row]:
        """Return the rows of all processes, sorted by key; a sample that came twice is one row."""
        own = [
            Row(key, frames, {metric: _floats(scores) for metric, scores in values.items()})
            for key, frames, values in self._rows
        ]
        rows = {row.key: row for part in _of_all_processes(own) for row in part}
        return [rows[key] for key in sorted(rows)]

    def means(self, rows: Sequence[Row]) -> dict[str, float]:
        """Return the mean of each score over rows, and the sum of each count.

        A sample that a metric skipped has no weight there; without any sample the mean is nan.
        A score that is no number in spite of its truth makes its mean nan: it is not hidden.
        """
        table = {metric: self._means(metric, rows) for metric in self.metrics}
        return _flat(table)

    def _means(self, metric: str, rows: Sequence[Row]) -> dict[str, float]:
        names = dict.fromkeys(name for row in rows for name in row.values[metric])
        weights = [self._weight(row, row.values[metric]) for row in rows]
        means = {}
        for name in names:
            values = [row.values[metric][name] for row in rows]
            if name.startswith(COUNT):
                means[name] = math.fsum(values)
                continue
            pairs = [(w, v) for w, v in zip(weights, values, strict=True) if w > 0]
            total = math.fsum(w * v for w, v in pairs)
            means[name] = total / sum(w for w, _ in pairs) if pairs else math.nan
        return means

    def _weight(self, row: Row, values: Mapping[str, float]) -> float:
        skipped = _count(values, SKIPPED) + row.num_frames * _count(values, CLIPS_SKIPPED)
        scored = max(row.num_frames - skipped, 0.0)
        return scored if self.average_over == "frames" else float(scored > 0)


def flat_row(row: Row) -> dict[str, float]:
    """Return all scores of a row by name."""
    return _flat(row.values)


def _count(values: Mapping[str, float], prefix: str) -> float:
    return sum(count for name, count in values.items() if name.startswith(prefix))


def _value(name: str, metric: Metric, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if isinstance(metric, ClipMeans) and given["depth"].ndim == 4:
        given = {name: value[:, None] for name, value in given.items()}
    value = metric(**metric._filter_kwargs(**given))
    values = value if isinstance(value, dict) else {name: value}
    return {score: torch.as_tensor(number).detach() for score, number in values.items()}


def _flat(values: Mapping[str, Mapping[str, V]]) -> dict[str, V]:
    uses = Counter(name for scores in values.values() for name in scores)
    return {
        name if uses[name] == 1 else f"{metric}_{name}": value
        for metric, scores in values.items()
        for name, value in scores.items()
    }


def _floats(values: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _of_all_processes(own: list[Row]) -> Iterable[list[Row]]:
    if not (dist.is_available() and dist.is_initialized()):
        return [own]
    parts: list[list[Row]] = [[] for _ in range(dist.get_world_size())]
    dist.all_gather_object(parts, own)
    return parts
