"""The evaluation step: protocol, prediction, scores; the same for every model."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import lightning as L
import torch
from torch import Tensor
from torchmetrics import MeanMetric, MetricCollection

from ppvd.batch import DepthBatch
from ppvd.geometry import Alignment
from ppvd.protocols import Box, Protocol, Row, SampleScores, Unit
from ppvd.protocols.describe import describe, digest
from ppvd.protocols.protocol import Resize


class Evaluated(TypedDict):
    """Result of an evaluation step.

    Attributes:
        prediction: The ``(B, [T,] 1, H, W)`` code at the image's size, where it is aligned.
        raw: The same as the model gave it; other than ``prediction`` where that was metres.
        scores: Scores of each sample by name.
        alignment: The protocol's, in the model's space; None without a protocol.
        frame: Height and width of the whole picture that ``box`` is a part of.
        box: The part of it that the network saw.
    """

    prediction: Tensor
    raw: Tensor
    scores: list[dict[str, Tensor]]
    alignment: Alignment | None
    frame: tuple[int, int]
    box: Box


@dataclass(eq=False, kw_only=True)
class Benchmark:
    """One data set while it is evaluated.

    Attributes:
        name: Its name in the data.
        protocol: Its protocol; None scores everything valid with the model's own metrics.
        alignment: The protocol's, in the model's space.
        scores: Scores of this process.
        seconds: Time of an image.
        rows: Scores of each sample of all processes, once the pass is over.
        means: What is logged, in full precision, once the pass is over.
    """

    name: str
    protocol: Protocol | None
    alignment: Alignment | None
    scores: SampleScores
    seconds: MeanMetric
    rows: list[Row] = field(default_factory=list)
    means: dict[str, float] = field(default_factory=dict)

    def card(self, unit: Unit) -> dict[str, object]:
        """Say what its numbers depend on besides the model: name, hash, and all the rules.

        Args:
            unit: What the predictions mean.
        """
        if self.protocol is None:
            name, rules = "every valid pixel", {"metrics": describe(self.scores.metrics)}
        else:
            name, rules = self.protocol.name, self.protocol.describe()
        aligned = {"prediction": str(unit), "alignment": describe(self.alignment)}
        hashed = self.protocol.hash if self.protocol else digest(rules)
        return {"name": name, "hash": hashed, "used": aligned, "rules": rules}


class EvaluatedTask(L.LightningModule, ABC):
    """A depth model that can be scored.

    Attributes:
        protocols: How each data set is evaluated, by its name; without any, everything valid is
            scored with the model's own metrics.
        benchmarks: The data sets of the latest pass.
        scored_now: Name of the data set of the latest batch.
        shown: Of the latest batch, height and width of the whole picture, and the part of it that
            the protocol shows to the network.
    """

    def __init__(self) -> None:
        super().__init__()
        self.protocols: Mapping[str, Protocol] = {}
        self.benchmarks: dict[str, Benchmark] = {}
        self.scored_now = ""
        self.shown: tuple[tuple[int, int], Box] = (0, 0), Box(0, 0, 0, 0)
        self._metrics: MetricCollection
        self._resize: Resize = "model"

    @property
    @abstractmethod
    def unit(self) -> Unit:
        """What the predictions mean."""

    @abstractmethod
    def predict(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Estimate depth at the size of images or clips, in ``unit``."""

    def inspect(self, prediction: Tensor, batch: DepthBatch) -> None:
        """Look at a prediction before it is aligned; models that read files look for mistakes."""

    def on_validation_start(self) -> None:
        """Prepare one set of scores for each validation benchmark."""
        self._open(self.trainer.val_dataloaders)

    def on_test_start(self) -> None:
        """Prepare one set of scores for each test benchmark.

        Raises:
            ValueError: If there are protocols, but not for each of them.
        """
        self._open(self.trainer.test_dataloaders)
        lacking = [name for name in self.benchmarks if name not in self.protocols]
        if self.protocols and lacking:
            raise ValueError(
                f"protocols must say how {', '.join(lacking)} is evaluated, but name only "
                f"{', '.join(self.protocols)}"
            )

    def validation_step(
        self,
        batch: DepthBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> Evaluated:
        """Predict and score a batch of a validation benchmark."""
        return self._evaluate(batch, self._benchmark(dataloader_idx))

    def test_step(
        self,
        batch: DepthBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> Evaluated:
        """Predict and score a batch of a test benchmark."""
        return self._evaluate(batch, self._benchmark(dataloader_idx))

    def on_validation_epoch_end(self) -> None:
        """Log the scores as ``val/<benchmark>/<score>``."""
        self._close("val")

    def on_test_epoch_end(self) -> None:
        """Log the scores as ``test/<benchmark>/<score>``."""
        self._close("test")

    def _open(self, loaders: object) -> None:
        names = list(loaders) if isinstance(loaders, dict) else ["data"]
        self.benchmarks = {name: self._new_benchmark(name) for name in names}

    def _new_benchmark(self, name: str) -> Benchmark:
        protocol, alignment = self.protocols.get(name), None
        if protocol is None:
            own = self._metrics.clone().to(self.device)
            scores = SampleScores({str(key): one for key, one in own.items(keep_base=True)})
        else:
            alignment = self.unit.alignment(protocol.alignment)
            metrics = protocol.build_metrics(alignment)
            moved = {key: metric.to(self.device) for key, metric in metrics.items()}
            scores = SampleScores(moved, average_over=protocol.average_over)
        return Benchmark(
            name=name,
            protocol=protocol,
            alignment=alignment,
            scores=scores,
            seconds=MeanMetric().to(self.device),
        )

    def _benchmark(self, dataloader_idx: int) -> Benchmark:
        return list(self.benchmarks.values())[dataloader_idx]

    def _evaluate(self, batch: DepthBatch, benchmark: Benchmark) -> Evaluated:
        height, width = batch["depth"].shape[-2:]
        self.scored_now = benchmark.name
        self.shown = (height, width), Box(0, 0, height, width)
        if benchmark.protocol is not None:  # In place: callbacks see what network and metrics see.
            self.shown = benchmark.protocol.shown(height, width)
            batch.update(benchmark.protocol.prepare(batch))
        self._resize = benchmark.protocol.resize if benchmark.protocol else "model"
        raw = prediction = self._timed(batch, benchmark)
        self.inspect(raw, batch)
        if benchmark.alignment is not None:
            prediction = self.unit.express(raw, benchmark.alignment.space)
        return Evaluated(
            prediction=prediction,
            raw=raw,
            scores=benchmark.scores.add(prediction, batch),
            alignment=benchmark.alignment,
            frame=self.shown[0],
            box=self.shown[1],
        )

    def _timed(self, batch: DepthBatch, benchmark: Benchmark) -> Tensor:
        start = time.perf_counter()
        prediction = self.predict(batch["image"], keys=batch["key"])
        if prediction.is_cuda:
            torch.cuda.synchronize(prediction.device)
        num_images = prediction[..., 0, 0, 0].numel()
        per_image = (time.perf_counter() - start) / num_images
        benchmark.seconds.update(per_image, weight=num_images)
        return prediction

    def _close(self, stage: str) -> None:
        self._resize = "model"
        for name, benchmark in self.benchmarks.items():
            benchmark.rows = benchmark.scores.rows()
            means = benchmark.scores.means(benchmark.rows)
            benchmark.means = means | {"seconds_per_image": float(benchmark.seconds.compute())}
            self.log_dict({f"{stage}/{name}/{k}": value for k, value in benchmark.means.items()})
