"""A protocol: everything that turns a prediction and a truth into a number, as data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from ppvd.batch import DepthBatch
from ppvd.geometry import Alignment
from ppvd.metrics import DepthErrors, EdgeChamfer
from ppvd.protocols.cut import cut_batch, resize_batch
from ppvd.protocols.describe import describe, digest
from ppvd.protocols.masks import gentle
from ppvd.protocols.region import Box, Region

MetricOf = Callable[[Alignment], Metric]
Resize = Literal["model", "nearest", "bilinear"]
_LEAST_SQUARES = Alignment()


def _errors_and_edges() -> dict[str, MetricOf]:
    return {"errors": DepthErrors, "edges": EdgeChamfer}


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How one data set is evaluated.

    What a step of evaluation does, in this order: the first frames are taken, picture and truth
    are resized and cut (the network sees what is left), the truth is masked, the network
    predicts, its prediction is resized and aligned, the metrics are computed for each sample and
    averaged. Sky and invalid pixels never count, whatever is chosen here.

    Args:
        name: What the protocol is called where its numbers are, such as ``ppd/nyuv2``.
        num_frames: Take only the first so many frames of a video; None for all.
        size: Height and width to which picture (by area) and truth (nearest) are resized first.
        crop: What the network and the metrics get to see; None for everything.
        scored: Which part of that counts; None for all of it.
        near_m: Truth from here on counts, metres.
        far_m: Truth up to here counts, metres; None for all.
        inclusive: Whether truth at exactly ``near_m`` or ``far_m`` counts.
        max_slope_m: Where the sum of the absolute Sobel derivatives of the truth exceeds this, in
            metres, it does not count (released code, DIODE): that leaves out edges. None counts
            them.
        resize: How a prediction comes to the size of the truth: as the model does it, or nearest
            or bilinear in the unit in which it is affine.
        alignment: How a prediction becomes metres. A model that is affine in another space is
            aligned in its own, with the same solver: there is no fit in the wrong space.
        metrics: Builds each metric from the alignment.
        average_over: ``samples`` weighs all images, or all videos, alike: the value of a video is
            the mean over its frames. ``frames`` weighs the frames of all videos alike.

    Raises:
        ValueError: If a number is out of its range.
    """

    name: str
    num_frames: int | None = None
    size: tuple[int, int] | None = None
    crop: Region | None = None
    scored: Region | None = None
    near_m: float = 1e-3
    far_m: float | None = None
    inclusive: bool = False
    max_slope_m: float | None = None
    resize: Resize = "model"
    alignment: Alignment = _LEAST_SQUARES
    metrics: dict[str, MetricOf] = field(default_factory=_errors_and_edges)
    average_over: Literal["samples", "frames"] = "samples"

    def __post_init__(self) -> None:
        if not self.near_m >= 0.0:
            raise ValueError(f"near_m must not be negative, got {self.near_m}")
        if self.far_m is not None and not self.far_m > self.near_m:
            raise ValueError(f"far_m must exceed near_m {self.near_m} m, got {self.far_m}")
        if self.num_frames is not None and self.num_frames < 1:
            raise ValueError(f"num_frames must be at least 1, got {self.num_frames}")
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"size must be positive, got {list(self.size)}")
        if self.max_slope_m is not None and not self.max_slope_m > 0.0:
            raise ValueError(f"max_slope_m must be positive, got {self.max_slope_m}")
        if not self.metrics:
            raise ValueError("metrics must name at least one metric, got none")

    def prepare(self, batch: DepthBatch) -> DepthBatch:
        """Return what of a batch is shown to the network and scored."""
        if self.num_frames is not None and batch["depth"].ndim == 5:
            batch = _first_frames(batch, self.num_frames)
        if self.size is not None:
            batch = resize_batch(batch, self.size)
        counts = self._counts(batch["depth"], batch["valid"])
        batch = {**batch, "valid": counts}
        if self.crop is not None:
            batch = cut_batch(batch, self.crop)
        if self.scored is None:
            return batch
        box = self.scored.box(*batch["depth"].shape[-2:])
        inside = torch.zeros_like(batch["valid"])
        inside[..., box.rows, box.columns] = True
        return {**batch, "valid": batch["valid"] & inside}

    def shown(self, height: int, width: int) -> tuple[tuple[int, int], Box]:
        """Return the size to which a picture is resized, and the part of it that is shown."""
        frame = self.size or (height, width)
        frame = (frame[0], frame[1])
        return frame, Box(0, 0, *frame) if self.crop is None else self.crop.box(*frame)

    def _counts(self, depth: Tensor, valid: Tensor) -> Tensor:
        far_m = torch.inf if self.far_m is None else self.far_m
        if self.inclusive:
            counts = valid & (depth >= self.near_m) & (depth <= far_m)
        else:
            counts = valid & (depth > self.near_m) & (depth < far_m)
        return counts if self.max_slope_m is None else counts & gentle(depth, self.max_slope_m)

    def build_metrics(self, alignment: Alignment | None = None) -> dict[str, Metric]:
        """Build each metric anew.

        Args:
            alignment: In place of the protocol's own, for a model that is affine elsewhere.
        """
        return {name: build(alignment or self.alignment) for name, build in self.metrics.items()}

    def describe(self) -> dict[str, object]:
        """Return everything that decides a number, as JSON can carry it."""
        plain = describe(self)
        assert isinstance(plain, dict)
        metrics = {name: describe(metric) for name, metric in self.build_metrics().items()}
        return {**plain, "metrics": metrics}

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change when a number could: all but the name."""
        return digest({name: value for name, value in self.describe().items() if name != "name"})


def _first_frames(batch: DepthBatch, count: int) -> DepthBatch:
    image, depth, valid = batch["image"], batch["depth"], batch["valid"]
    return {
        **batch,
        "image": image[:, :count],
        "depth": depth[:, :count],
        "valid": valid[:, :count],
        "sky": batch["sky"][:, :count],
        "intrinsics": batch["intrinsics"][:, :count],
        "pose": batch["pose"][:, :count],
    }
