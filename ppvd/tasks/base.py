"""What every depth model shares as a LightningModule: prediction, optimiser, loss bookkeeping."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypedDict

import torch
from lightning.pytorch.core.mixins.hparams_mixin import _given_hyperparameters
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric, MetricCollection

from ppvd.batch import DepthBatch, PhotoBatch
from ppvd.geometry import DepthCodec, DisparityCodec, LogDepthCodec
from ppvd.metrics import DepthErrors, EdgeChamfer
from ppvd.nn import shard
from ppvd.protocols import DISPARITY_CODE, LOG_CODE, Unit
from ppvd.tasks.evaluation import EvaluatedTask
from ppvd.tasks.guard import LossGuard
from ppvd.tasks.view import NativeView, ResizedView, View

OptimizerCallable = Callable[[Iterable[nn.Parameter]], Optimizer]
SchedulerCallable = Callable[[Optimizer, int], LRScheduler]


class Predicted(TypedDict):
    """Result of a prediction step: code ``(B, 1, H, W)``, image ``(B, 3, H, W)`` and names.

    The codec tells in what the code is affine.
    """

    code: Tensor
    image: Tensor
    key: list[str]
    codec: DepthCodec


def paper_adamw(params: Iterable[nn.Parameter]) -> Optimizer:
    """Build AdamW at the paper's constant rate 1e-4, with the released code's zero decay."""
    return AdamW(params, lr=1e-4, weight_decay=0.0)


def training_target(codec: DepthCodec, batch: DepthBatch) -> tuple[Tensor, Tensor]:
    """Return the code to learn and the mask of its pixels, both ``(B, [T,] 1, H, W)``.

    Sky takes part, at the code that the codec gives it (released code).
    """
    code, _ = codec.encode(batch["depth"], batch["valid"], sky=batch["sky"])
    return code, batch["valid"] | batch["sky"]


class DepthTask(EvaluatedTask, ABC):
    """A depth model that can be trained, tested and asked for depth.

    Args:
        metrics: Scores of an evaluation; each is logged for each benchmark as
            ``<stage>/<benchmark>/<score>``. ``None``: ``DepthErrors`` and ``EdgeChamfer``.
        optimizer: Builds the optimiser from the trainable parameters. Default: AdamW at the
            constant rate 1e-4 (section III-F) without weight decay (released code).
        scheduler: Builds a schedule from the optimiser and the run's number of steps;
            ``None`` keeps the rate constant.
        pixels: Area at which the network looks at evaluation images, aspect kept; the depth
            is brought back to the image's own size. ``None``: the image's own scale.

    Attributes:
        codec: What the task's codes code.
        guard: Watch over the training loss.
    """

    codec: DepthCodec = LogDepthCodec()

    def __init__(
        self,
        *,
        metrics: dict[str, Metric] | None = None,
        optimizer: OptimizerCallable = paper_adamw,
        scheduler: SchedulerCallable | None = None,
        pixels: int | None = None,
    ) -> None:
        super().__init__()
        if _given_hyperparameters.get() is not None:  # Built by LightningCLI, which knows them.
            self.save_hyperparameters()
        scores = metrics or {"errors": DepthErrors(), "edges": EdgeChamfer()}
        self._metrics = MetricCollection(dict(scores), compute_groups=False)
        self._optimizer = optimizer
        self._scheduler = scheduler
        self.pixels = pixels
        self.guard = LossGuard()

    @property
    @abstractmethod
    def divisor(self) -> int:
        """Number that must divide both sides of the images the network sees."""

    @abstractmethod
    def predict_code(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Estimate the depth code of images that already have a working size.

        Args:
            image: sRGB in [0, 1], ``(B, 3, H, W)``, sides divisible by ``divisor``.
            keys: Names of the images; noise is drawn from them.

        Returns:
            Code, affine in what the model's codec codes, ``(B, 1, H, W)``.
        """

    def predict(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Estimate the depth code of images or clips of any size, at that size.

        A clip is seen frame by frame here, all its frames with the clip's own noise: what a
        model of images can do for it.

        Args:
            image: sRGB in [0, 1], ``(B, [T,] 3, H, W)``.
            keys: Names of the images or clips; noise is drawn from them.

        Returns:
            Code, affine in what the model's codec codes, ``(B, [T,] 1, H, W)``; no pixel is an
            average across an edge.
        """
        if image.ndim == 5:
            return torch.stack([self.predict(frame, keys=keys) for frame in image.unbind(1)], 1)
        code = self.predict_code(self.view.shrink(image), keys=keys).float()
        return self.view.enlarge(code, image)

    @property
    def unit(self) -> Unit:
        """In what the codes are affine."""
        return DISPARITY_CODE if isinstance(self.codec, DisparityCodec) else LOG_CODE

    @property
    def view(self) -> View:
        """How images come before the network, and codes back: as the protocol says, if any."""
        own = self.own_view
        return own if self._resize == "model" else ResizedView(own, self._resize)

    @property
    def own_view(self) -> View:
        """How images come before the network, and codes back to their size."""
        return NativeView(divisor=self.divisor, pixels=self.pixels)

    # Training.

    def configure_model(self) -> None:
        """Shard what is trained, where the strategy has a mesh of devices (FSDP2)."""
        if self.device_mesh is None:
            return
        for part in _trained_parts(self):
            shard(part, self.device_mesh["data_parallel"])

    def weighted_sum(
        self, losses: dict[str, Tensor], weights: dict[str, float], batch: DepthBatch
    ) -> Tensor:
        """Log each loss as ``train/<name>`` and return their weighted sum (Eq. 10)."""
        total = torch.stack([weights.get(n, 1.0) * loss for n, loss in losses.items()]).sum()
        named = {f"train/{name}": loss.detach() for name, loss in losses.items()}
        self.log_dict(named, batch_size=len(batch["key"]))
        # Not prog_bar: Lightning would read it at each step, for which the host waits.
        self.log("train/loss", total.detach(), batch_size=len(batch["key"]))
        self.guard.watch(total, step=self.global_step, keys=batch["key"])
        return total

    def build_optimizer(self, params: Iterable[nn.Parameter]) -> Optimizer:
        """Build the optimiser of this task over other parameters."""
        return self._optimizer(params)

    def on_fit_start(self) -> None:
        """Refuse a size of training pictures that the network cannot look at."""
        size = getattr(self.trainer.datamodule, "size", None)  # type: ignore[attr-defined]
        if size is not None and any(side % self.divisor for side in size):
            raise ValueError(
                f"data.init_args.size must be divisible by {self.divisor} for this network, got"
                f" {tuple(size)}"
            )

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the optimiser over the trainable parameters, and its schedule by step."""
        optimizer = self.build_optimizer(p for p in self.parameters() if p.requires_grad)
        if self._scheduler is None:
            return optimizer
        schedule = self._scheduler(optimizer, int(self.trainer.estimated_stepping_batches))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to save weights of a run whose loss is no number."""
        self.guard.check()

    def on_train_end(self) -> None:
        """Look at the last losses."""
        self.guard.check()

    def on_validation_start(self) -> None:
        """Look at the last losses before anything is scored."""
        self.guard.check()
        super().on_validation_start()

    def predict_step(
        self,
        batch: PhotoBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> Predicted:
        """Predict a batch of photographs."""
        code = self.predict(batch["image"], keys=batch["key"])
        return Predicted(code=code, image=batch["image"], key=batch["key"], codec=self.codec)


def _trained_parts(task: nn.Module) -> list[nn.Module]:
    """Return the modules with weights whose methods a task calls: its network, its losses."""
    parts: list[nn.Module] = []
    for child in task.children():
        inner = child.children() if isinstance(child, nn.ModuleDict) else (child,)
        parts += [part for part in inner if next(part.parameters(), None) is not None]
    return parts
