"""Depth by regression: the baseline, and the pre-training of a small prompt encoder."""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from ppvd.batch import DepthBatch
from ppvd.geometry import DisparityCodec, LogDepthCodec
from ppvd.losses import CodeError, CodeStep
from ppvd.nn import CascadeDiT
from ppvd.semantics import Frozen, SemanticEncoder
from ppvd.tasks.base import (
    DepthTask,
    OptimizerCallable,
    SchedulerCallable,
    paper_adamw,
    training_target,
)


class CascadeRegressor(nn.Module):
    """The network of PPD with its noise held at zero, so that it regresses ("ours").

    It has the same size and the same prompt as the generative model; what differs is that it
    learns the mean of the plausible depths instead of a sample of them.

    Args:
        encoder: Foundation model that describes the image (Eq. 5); frozen for good.
        net: Builds the network from the encoder's width.
    """

    def __init__(self, encoder: SemanticEncoder, net: Callable[[int], CascadeDiT]) -> None:
        super().__init__()
        self.encoder = Frozen(encoder)
        self.net = net(encoder.width)
        self.divisor = self.net.divisor

    def forward(self, image: Tensor) -> Tensor:
        """Map sRGB in [0, 1], ``(B, 3, H, W)``, to the code, ``(B, 1, H, W)``."""
        features = self.encoder(image) if self.encoder.width else None
        time = torch.ones(len(image), device=image.device)
        velocity: Tensor = self.net(torch.zeros_like(image[:, :1]), image, time, features)
        return -velocity


class Regressor(DepthTask):
    """Predicts the depth code of an image in one pass, by mean prediction.

    Args:
        net: Module from sRGB in [0, 1], ``(B, 3, H, W)``, to the code, ``(B, 1, H, W)``, with
            an attribute ``divisor``. Clips need one that takes ``(B, T, 3, H, W)`` too.
        codec: Metric depth to the network's range and back (Eq. 8). ``None``: logarithm.
        losses: Terms of the training loss, each logged as ``train/<name>``. ``None``: the
            absolute error of the code.
        weights: Factors of the terms; absent means 1.
        metrics: Scores of an evaluation; see ``DepthTask``.
        optimizer: Builds the optimiser; see ``DepthTask``.
        scheduler: Builds a schedule; see ``DepthTask``.
        pixels: Area at which the network looks at evaluation images; see ``DepthTask``.
    """

    def __init__(
        self,
        net: nn.Module,
        *,
        codec: LogDepthCodec | DisparityCodec | None = None,
        losses: dict[str, nn.Module] | None = None,
        weights: dict[str, float] | None = None,
        metrics: dict[str, Metric] | None = None,
        optimizer: OptimizerCallable = paper_adamw,
        scheduler: SchedulerCallable | None = None,
        pixels: int | None = None,
    ) -> None:
        super().__init__(metrics=metrics, optimizer=optimizer, scheduler=scheduler, pixels=pixels)
        self.net = net
        self.codec = codec or LogDepthCodec()
        self.losses = nn.ModuleDict(losses or {"code": CodeError()})
        self.weights = weights or {}

    @property
    def divisor(self) -> int:
        """Number that must divide both sides of the images the network sees."""
        return cast(int, self.net.divisor)

    def training_step(self, batch: DepthBatch, batch_idx: int) -> Tensor:
        """Predict the code and return the loss."""
        clean, mask = training_target(self.codec, batch)
        step = CodeStep(clean=clean, predicted_clean=self.net(batch["image"]).float(), valid=mask)
        losses = {name: loss(step) for name, loss in self.losses.items()}
        return self.weighted_sum(losses, self.weights, batch)

    def predict_code(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Return the network's code."""
        code: Tensor = self.net(image)
        return code
