"""What the generative tasks share: a training step and a velocity field (III-B, III-C)."""

from abc import ABC
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from ppvd.batch import DepthBatch
from ppvd.flow import (
    LogitNormalTimes,
    Solver,
    TimeGrid,
    UniformTimes,
    VelocityField,
    clean_from_velocity,
    interpolate,
    velocity,
)
from ppvd.geometry import DepthCodec
from ppvd.losses import FeatureAlignment, FlowStep, VelocityError
from ppvd.nn import CascadeDiT
from ppvd.semantics import Frozen, SemanticEncoder
from ppvd.tasks.base import DepthTask, OptimizerCallable, SchedulerCallable, training_target
from ppvd.weights import Pretrained, fill_network, read_pretrained

# What a network for video may have and the image network it starts from has not.
VIDEO_PARTS = ("temporal", "shared_gate")


class FlowTask(DepthTask, ABC):
    """Generates depth from noise, prompted by a frozen encoder; images and clips alike.

    Args:
        encoder: Foundation model that describes the image (Eq. 5); frozen for good.
        net: Builds the network from the width of the features that prompt it.
        prompt: Whether the features prompt the network; if not, only the losses see them (REPA).
        initial_weights: File whose network a training, or a test without a checkpoint, starts
            from: published, imported, or a checkpoint of a run. A run that goes on, or is
            tested, has its own weights and does not read it.
        codec: Metric depth to the network's range and back (Eq. 8).
        times: Draws the training times. ``None``: ``LogitNormalTimes`` (released code).
        losses: Terms of the training loss, each logged as ``train/<name>``. ``None``: the
            velocity error (Eq. 3).
        weights: Factors of the terms (Eq. 10 and 11); absent means 1.
        solver: Integrates the velocity field from noise to depth (Eq. 4).
        grid: Sampling times for a number of steps.
        num_steps: Solver steps of an evaluation (released code: 4).
        seed: Seed of the evaluation noise.
        metrics: Scores of an evaluation; see ``DepthTask``.
        optimizer: Builds the optimiser; see ``DepthTask``.
        scheduler: Builds a schedule; see ``DepthTask``.
        pixels: Area at which the network looks at evaluation images; see ``DepthTask``.

    Attributes:
        published_kind: Kind of the published networks that it takes, ``image`` or ``video``.
        published_settings: How the released code runs these; see ``from_pretrained``.

    Raises:
        ValueError: If ``weights`` names no loss, or two losses align features.
    """

    published_kind: ClassVar[str]
    published_settings: ClassVar[Mapping[str, Any]]

    def __init__(
        self,
        encoder: SemanticEncoder,
        net: Callable[[int], CascadeDiT],
        *,
        prompt: bool,
        initial_weights: str | Path | None,
        codec: DepthCodec,
        times: LogitNormalTimes | UniformTimes | None,
        losses: dict[str, nn.Module] | None,
        weights: dict[str, float] | None,
        solver: Solver,
        grid: TimeGrid,
        num_steps: int,
        seed: int,
        metrics: dict[str, Metric] | None,
        optimizer: OptimizerCallable,
        scheduler: SchedulerCallable | None,
        pixels: int | None,
    ) -> None:
        super().__init__(metrics=metrics, optimizer=optimizer, scheduler=scheduler, pixels=pixels)
        self.encoder = Frozen(encoder)
        self.prompt = prompt and encoder.width > 0
        self.net = net(encoder.width if self.prompt else 0)
        self.initial_weights = initial_weights
        self.codec = codec
        self.times = times or LogitNormalTimes()
        self.losses = nn.ModuleDict(losses or {"velocity": VelocityError()})
        self.weights = weights or {}
        self.solver = solver
        self.grid = tuple(grid(num_steps))
        self.seed = seed
        self._tap = self._configure_feature_alignment(encoder.width)
        self._has_weights = False
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            _note_weights
        )
        unknown = sorted(set(self.weights) - set(self.losses))
        if unknown:
            raise ValueError(f"weights must name losses {sorted(self.losses)}, got {unknown}")

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, encoder: str | Path | None = None, **settings: object
    ) -> Self:
        """Build a published model, ready to predict.

        Args:
            source: A published name such as ``ppd-moge2``, or a published or imported file; see
                ``read_pretrained``.
            encoder: Name or file of the encoder; ``None``: the network's own.
            **settings: Arguments of the constructor in place of the released code's: its grid
                and steps, and its area in ``pixels``.

        Returns:
            The model on the CPU, in evaluation mode.

        Raises:
            ValueError: If a file cannot be read or does not fit, or is of another kind.
            OSError: If a file is not there and cannot be fetched.
        """
        found = read_pretrained(source, encoder=encoder)
        if found.kind != cls.published_kind:
            raise ValueError(
                f"{cls.__name__} must be given a network of {cls.published_kind}, "
                f"but {found.path} is one of {found.kind}"
            )
        return cls.from_parts(found, **settings)

    @classmethod
    def from_parts(cls, found: Pretrained, **settings: object) -> Self:
        """Build a model around a network and an encoder; see ``from_pretrained``."""
        chosen: dict[str, Any] = {**cls.published_settings, **settings}
        task = cls(found.encoder, lambda _: found.net, **chosen).eval()
        task._has_weights = True
        return task

    @property
    def divisor(self) -> int:
        """Number that must divide both sides of the images the network sees."""
        return self.net.divisor

    def setup(self, stage: str) -> None:
        """Fill the network where it has no weights but those drawn.

        Raises:
            ValueError: If ``initial_weights`` cannot be read or is of another network.
        """
        if self.initial_weights and not self._has_weights and self.trainer.ckpt_path is None:
            fill_network(self.net, self.initial_weights, may_lack=VIDEO_PARTS)
        self._has_weights = True

    def training_step(self, batch: DepthBatch, batch_idx: int) -> Tensor:
        """Draw times and noise, predict the velocity, and return the loss (Eq. 1-3, 10, 11).

        A clip has one time and one range of codes; noise is drawn for each of its frames.
        """
        clean, mask = training_target(self.codec, batch)
        time = self.times(len(clean), device=clean.device)
        noise = torch.randn_like(clean)
        step = self._flow_step(batch["image"], clean, noise, time, mask)
        losses = {name: loss(step) for name, loss in self.losses.items()}
        return self.weighted_sum(losses, self.weights, batch)

    def velocity_field(self, image: Tensor) -> VelocityField:
        """Return the field that carries noise to the codes of images or clips.

        Args:
            image: sRGB in [0, 1], ``(B, [T,] 3, H, W)``, sides divisible by ``divisor``.
        """
        features = self.encoder(image) if self.prompt else None
        return self.net.velocity_field(image, features, self.grid)

    def _flow_step(
        self, image: Tensor, clean: Tensor, noise: Tensor, time: Tensor, mask: Tensor
    ) -> FlowStep:
        features = self.encoder(image) if self.encoder.width else None
        noisy = interpolate(clean, noise, time)
        condition = self.net.condition(image, features if self.prompt else None)
        modulation = self.net.modulation(time)
        tokens = None
        if self._tap is None:
            predicted = self.net.denoise(noisy, condition, modulation, time)
        else:
            predicted, tokens = self.net.denoise_with_tokens(
                noisy, condition, modulation, time, tap=self._tap
            )
        return FlowStep(
            clean=clean,
            velocity=velocity(clean, noise),
            predicted_velocity=predicted,
            predicted_clean=clean_from_velocity(noisy, predicted, time),
            time=time,
            valid=mask,
            tokens=tokens,
            features=features,
        )

    def _configure_feature_alignment(self, semantic_width: int) -> int | None:
        aligned = [loss for loss in self.losses.values() if isinstance(loss, FeatureAlignment)]
        if len(aligned) > 1:
            raise ValueError(f"losses may hold one FeatureAlignment, got {len(aligned)}")
        for loss in aligned:
            loss.configure(self.net.width, semantic_width)
            return loss.tap
        return None


def _note_weights(task: nn.Module, _: object) -> None:
    """Note that a task was given weights, so that none are put over them."""
    task._has_weights = True  # type: ignore[assignment]
