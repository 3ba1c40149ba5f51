"""An exponential moving average of the weights, for validation, checkpoints and what follows."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

RAW = "current_model_state"  # the key that Lightning's own WeightAveraging uses


class EMA(Callback):
    """Average the weights over the optimiser's steps and evaluate the average.

    Validation sees the averaged weights. A checkpoint's ``state_dict`` holds them, so that
    ``test`` and ``predict`` use them without this callback, and the trained weights lie beside
    them under ``current_model_state``, so that a resumed run goes on exactly. When training ends
    the model keeps the average. Average and trained weights never pass through the host.

    Why not Lightning's ``EMAWeightAveraging`` (2.6.6): ``test(ckpt_path=...)`` in the process
    that trained loads the trained weights over the averaged ones; checkpoints that hold weights
    only keep the trained ones without a word; an interrupted validation leaves the two swapped;
    integer buffers are averaged and truncated; and every step waits for the device three times.

    Args:
        decay: Share of the average that stays at each step, in [0, 1).
        ramp: Keep the share below ``(1 + n) / (10 + n)`` at step ``n``, so that a short run is
            not an average with its first weights (TensorFlow's rule for the same).

    Raises:
        ValueError: If ``decay`` is out of range; in ``setup``, if a strategy shards the weights
            and does not save averages, or a checkpoint callback saves weights only.
    """

    def __init__(self, decay: float = 0.999, *, ramp: bool = True) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay must lie in [0, 1), got {decay}")
        self.decay = decay
        self.ramp = ramp
        self._average: dict[str, Tensor] | None = None  # None outside of fit
        self._swapped = False
        self._step = 0  # optimiser steps in the average

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse what would make the average wrong."""
        if stage != "fit":
            return
        strategy = trainer.strategy
        shards = strategy.restore_checkpoint_after_setup  # FSDP, model parallel, DeepSpeed
        if shards and not getattr(strategy, "saves_averages", False):
            raise ValueError(
                "strategy must keep every weight on each device for EMA, or be ppvd.FSDP2, got "
                f"{type(strategy).__name__}; use ddp or leave the EMA callback out"
            )
        if any(getattr(c, "save_weights_only", False) for c in trainer.checkpoint_callbacks):
            raise ValueError(
                "save_weights_only must be false with EMA, got true: "
                "Lightning would save the weights without asking for their average"
            )

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with the weights as they are, or go on with the checkpoint's average."""
        live = _tensors(pl_module)
        start = live if self._average is None else self._average
        self._average = {
            name: start[name].to(tensor.device, copy=True) for name, tensor in live.items()
        }

    @torch.no_grad()
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Move the average towards the weights, once for each optimiser step."""
        if trainer.global_step == self._step:  # gradients are still being accumulated
            return
        self._step = trainer.global_step
        assert self._average is not None
        live = _tensors(pl_module)
        floats = [name for name, tensor in live.items() if tensor.is_floating_point()]
        update = get_ema_multi_avg_fn(  # type: ignore[no-untyped-call]
            self._decay_at(self._step)
        )
        update([self._average[name] for name in floats], [live[name] for name in floats], 0)
        for name in live.keys() - set(floats):
            self._average[name].copy_(live[name])

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the average into the model."""
        if self._average is not None and not self._swapped:
            self._swap(pl_module)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the trained weights back."""
        if self._swapped:
            self._swap(pl_module)

    def on_exception(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        exception: BaseException,
    ) -> None:
        """Put the trained weights back if a validation was cut short."""
        if self._swapped:
            self._swap(pl_module)

    @torch.no_grad()
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the average in the model; the last checkpoint has been written by now."""
        assert self._average is not None
        for name, tensor in _tensors(pl_module).items():
            tensor.copy_(self._average[name])
        self._average = None

    def on_save_checkpoint(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        checkpoint: dict[str, Any],
    ) -> None:
        """Save the average as the model, and the trained weights beside it."""
        if self._average is None:
            return
        live = checkpoint["state_dict"]
        average = {name: self._average[name] for name in live}
        first, second = (average, live) if not self._swapped else (live, average)
        checkpoint["state_dict"], checkpoint[RAW] = first, second

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Resume with the trained weights in the model and the average here."""
        if trainer.state.fn != TrainerFn.FITTING:
            return
        self._step = checkpoint["global_step"]
        if RAW in checkpoint:  # else the run had no average: begin with the weights as they are
            self._average = checkpoint["state_dict"]
            pl_module.load_state_dict(checkpoint[RAW])

    def _decay_at(self, step: int) -> float:
        return min(self.decay, (1 + step) / (10 + step)) if self.ramp else self.decay

    @torch.no_grad()
    def _swap(self, pl_module: LightningModule) -> None:
        assert self._average is not None
        for name, tensor in _tensors(pl_module).items():
            held = self._average[name].clone()
            self._average[name].copy_(tensor)
            tensor.copy_(held)
        self._swapped = not self._swapped


def _tensors(module: LightningModule) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in module.state_dict().items()}
