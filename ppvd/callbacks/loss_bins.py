"""The velocity error by noise level and by data set, and gradients by part of the network."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from ppvd.batch import DepthBatch
from ppvd.callbacks.interval import interval, require_interval


class LossBins(Callback):
    """Log the mean velocity error of each range of times and of each source, now and then.

    As ``train/velocity_at/<low>-<high>`` and ``train/velocity_of/<source>``, of the samples that
    this process has seen since the last value; only the first process logs. Sums stay on the
    device between values.

    Args:
        loss: Name of the loss whose steps are looked at.
        num_bins: Ranges of the time in [0, 1].
        every_n_steps: Batches from one value to the next; ``None``: ``trainer.log_every_n_steps``.

    Raises:
        ValueError: If a count is not positive.
    """

    def __init__(
        self, loss: str = "velocity", *, num_bins: int = 5, every_n_steps: int | None = None
    ) -> None:
        if num_bins < 1:
            raise ValueError(f"num_bins must be at least 1, got {num_bins}")
        require_interval(every_n_steps)
        self.loss = loss
        self.num_bins = num_bins
        self.every_n_steps = every_n_steps
        self._hook: RemovableHandle | None = None
        self._errors: list[Tensor] = []
        self._times: list[Tensor] = []
        self._sources: list[str] = []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listen to what the loss is given.

        Raises:
            ValueError: If the task has no such loss.
        """
        losses: Any = getattr(pl_module, "losses", {})
        if self.loss not in losses:
            raise ValueError(f"loss must be one of {sorted(losses)}, got {self.loss!r}")
        self._hook = losses[self.loss].register_forward_hook(self._note)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop listening."""
        if self._hook is not None:
            self._hook.remove()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: DepthBatch,
        batch_idx: int,
    ) -> None:
        """Note the sources, and log at the end of an interval."""
        self._sources += batch["source"]
        if len(self._errors) >= interval(self.every_n_steps, trainer):
            values = self._values()
            for logger in trainer.loggers if trainer.is_global_zero else []:
                logger.log_metrics(values, step=trainer.global_step)

    def _note(self, _: nn.Module, arguments: tuple[Any, ...], __: object) -> None:
        (step,) = arguments
        with torch.no_grad():
            error = (step.predicted_velocity.float() - step.velocity.float()).square()
            valid = step.valid.flatten(1)
            mean = (error.flatten(1) * valid).sum(1) / valid.sum(1).clamp(min=1)
        self._errors.append(mean)
        self._times.append(step.time.detach())

    def _values(self) -> dict[str, float]:
        errors, times = torch.cat(self._errors).cpu(), torch.cat(self._times).cpu()
        sources, names = self._sources, sorted(set(self._sources))
        self._errors, self._times, self._sources = [], [], []
        places = (times * self.num_bins).long().clamp(0, self.num_bins - 1)
        values = {}
        for place in sorted(set(places.tolist())):
            low, high = place / self.num_bins, (place + 1) / self.num_bins
            values[f"train/velocity_at/{low:.2f}-{high:.2f}"] = errors[places == place].mean()
        for name in names:
            own = torch.tensor([source == name for source in sources])
            values[f"train/velocity_of/{name}"] = errors[own].mean()
        return {name: float(value) for name, value in values.items()}


class GradientNorms(Callback):
    """Log the norm of the gradients of each part of the network, before clipping.

    As ``gradients/<part>``, a part being a child of ``net`` or one of its blocks' lists.

    Args:
        every_n_steps: Optimiser steps from one value to the next; it is looked at only then.
            ``None``: ``trainer.log_every_n_steps``.

    Raises:
        ValueError: If ``every_n_steps`` is not positive.
    """

    def __init__(self, every_n_steps: int | None = None) -> None:
        require_interval(every_n_steps)
        self.every_n_steps = every_n_steps

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Log the norms."""
        if trainer.global_step % interval(self.every_n_steps, trainer):
            return
        network: Any = getattr(pl_module, "net", pl_module)
        norms = {f"gradients/{name}": _norm(part) for name, part in network.named_children()}
        known = {name: norm for name, norm in norms.items() if norm is not None}
        if not known:
            return
        values = torch.stack(list(known.values())).tolist()  # The host waits once.
        for logger in trainer.loggers if trainer.is_global_zero else []:
            logger.log_metrics(dict(zip(known, values, strict=True)), step=trainer.global_step)


def _norm(part: nn.Module) -> Tensor | None:
    gradients = [p.grad for p in part.parameters() if p.grad is not None]
    if not gradients:
        return None
    total: Tensor = torch.nn.utils.get_total_norm(gradients)
    return total.full_tensor() if hasattr(total, "full_tensor") else total
