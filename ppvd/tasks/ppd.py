"""Pixel-Perfect Depth: flow matching in pixel space for one image (sections III-A to III-C)."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from ppvd.flow import (
    LogitNormalTimes,
    Solver,
    TimeGrid,
    UniformTimes,
    euler,
    released_grid,
    uniform_grid,
)
from ppvd.geometry import LogDepthCodec
from ppvd.nn import CascadeDiT
from ppvd.semantics import SemanticEncoder
from ppvd.tasks.base import OptimizerCallable, SchedulerCallable, paper_adamw
from ppvd.tasks.flow_task import FlowTask
from ppvd.tasks.noise import keyed_noise
from ppvd.tasks.view import (
    RELEASED_PIXELS,
    NativeView,
    ReleasedPhotoView,
    View,
    released_precision,
)


class PPD(FlowTask):
    """Generates the depth of one image from noise, prompted by a frozen encoder.

    Args:
        encoder: Foundation model that describes the image (Eq. 5); frozen for good.
        net: Builds the network from the width of the features that prompt it.
        prompt: Whether the features prompt the network (SP-DiT); if not, only the losses see
            them (REPA).
        initial_weights: File whose network a training, or a test without a checkpoint, starts
            from; see ``FlowTask``.
        codec: Metric depth to the network's range and back (Eq. 8).
        times: Draws the training times.
        losses: Terms of the training loss, each logged as ``train/<name>``. ``None``: the
            velocity error (Eq. 3).
        weights: Factors of the terms (Eq. 10); absent means 1.
        solver: Integrates the velocity field from noise to depth (Eq. 4).
        grid: Sampling times for a number of steps.
        num_steps: Solver steps of an evaluation (released code: 4).
        num_samples: Samples whose mean is the prediction.
        parity: ``"released"`` predicts as the released script does, for comparison with its
            numbers: photographs resized in 8 bits, depth enlarged across edges, half precision
            on every device. ``None`` keeps float32, or the trainer's precision, and edges. The
            noise is drawn from ``seed`` and the image's name either way.
        seed: Seed of the evaluation noise.
        metrics: Scores of an evaluation; see ``DepthTask``.
        optimizer: Builds the optimiser; see ``DepthTask``.
        scheduler: Builds a schedule; see ``DepthTask``.
        pixels: Area at which the network looks at evaluation images; see ``DepthTask``.
    """

    published_kind = "image"
    published_settings: ClassVar = {
        "grid": released_grid,
        "num_steps": 4,
        "pixels": RELEASED_PIXELS,
    }

    def __init__(
        self,
        encoder: SemanticEncoder,
        net: Callable[[int], CascadeDiT],
        *,
        prompt: bool = True,
        initial_weights: str | Path | None = None,
        codec: LogDepthCodec | None = None,
        times: LogitNormalTimes | UniformTimes | None = None,
        losses: dict[str, nn.Module] | None = None,
        weights: dict[str, float] | None = None,
        solver: Solver = euler,
        grid: TimeGrid = uniform_grid,
        num_steps: int = 4,
        num_samples: int = 1,
        parity: Literal["released"] | None = None,
        seed: int = 0,
        metrics: dict[str, Metric] | None = None,
        optimizer: OptimizerCallable = paper_adamw,
        scheduler: SchedulerCallable | None = None,
        pixels: int | None = None,
    ) -> None:
        super().__init__(
            encoder,
            net,
            prompt=prompt,
            initial_weights=initial_weights,
            codec=codec or LogDepthCodec(),
            times=times,
            losses=losses,
            weights=weights,
            solver=solver,
            grid=grid,
            num_steps=num_steps,
            seed=seed,
            metrics=metrics,
            optimizer=optimizer,
            scheduler=scheduler,
            pixels=pixels,
        )
        if num_samples < 1:
            raise ValueError(f"num_samples must be at least 1, got {num_samples}")
        if parity not in (None, "released"):
            raise ValueError(f"parity must be released or None, got {parity!r}")
        self.num_samples = num_samples
        self.parity = parity

    @property
    def own_view(self) -> View:
        """How photographs come before the network, and codes back to their size."""
        if self.parity == "released":
            return ReleasedPhotoView(pixels=self.pixels or RELEASED_PIXELS)
        return NativeView(divisor=self.divisor, pixels=self.pixels)

    def predict_code(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Sample the code ``num_samples`` times and return the mean (Eq. 4)."""
        with released_precision(image.device) if self.parity else nullcontext():
            return self._sample(image, keys)

    def _sample(self, image: Tensor, keys: Sequence[str]) -> Tensor:
        field = self.velocity_field(image)
        size = image.shape[-2], image.shape[-1]
        total = torch.zeros_like(image[:, :1])
        for draw in range(self.num_samples):
            noise = keyed_noise(keys, size, seed=self.seed, draw=draw).to(image.device)
            total += self.solver(field, noise, self.grid)
        return total / self.num_samples
