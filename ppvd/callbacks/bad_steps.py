"""What to do about a step whose gradients are no numbers, or far larger than they have been."""

import json
import logging
import math
from pathlib import Path
from typing import Literal

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer

from ppvd.batch import DepthBatch
from ppvd.whole import write_whole

log = logging.getLogger(__name__)

MEMORY = 0.95
"""Share of the mean norm that stays at each step (ours)."""
SETTLED = 20
"""Steps after which there is a mean norm worth comparing with (ours)."""


class BadStepError(ValueError):
    """A training step must not be taken; the message names its samples and a file."""


class BadSteps(Callback):
    """Stop at a bad step, or leave it out, and save the keys of its samples.

    A step is bad if the norm of its gradients is NaN or infinite, as after such a loss, or
    ``max_growth`` times its own running mean. All processes see the same gradients, so all decide
    alike. Each writes ``bad_step_<step>.json`` (of other ranks with the rank in its name) into the
    run's folder; ``ppvd debug batch FILE`` takes the step again. The norm is looked at in every
    step, for which the host waits for the device.

    Args:
        policy: ``stop`` ends the training before the step; ``skip`` leaves the weights and the
            optimiser as they are, and goes on.
        max_growth: See above; ``None``: only what is no number is bad.
        max_skipped: Skipped steps after which the training ends all the same.

    Raises:
        ValueError: If a number is out of its range; ``BadStepError`` at a bad step.
    """

    def __init__(
        self,
        policy: Literal["stop", "skip"] = "stop",
        *,
        max_growth: float | None = None,
        max_skipped: int = 10,
    ) -> None:
        if max_growth is not None and max_growth <= 1:
            raise ValueError(f"max_growth must be above 1, got {max_growth}")
        if max_skipped < 0:
            raise ValueError(f"max_skipped must be at least 0, got {max_skipped}")
        self.policy = policy
        self.max_growth = max_growth
        self.max_skipped = max_skipped
        self._keys: list[str] = []  # since the last optimiser step
        self._mean, self._num_good, self._num_skipped = 0.0, 0, 0

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take over from the task's own watch, which can only stop."""
        guard = getattr(pl_module, "guard", None)
        if guard is not None:
            guard.is_on = False

    def state_dict(self) -> dict[str, float]:
        """Return what a continued run needs to decide alike."""
        return {"mean": self._mean, "good": self._num_good, "skipped": self._num_skipped}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Go on with the mean of the run that was broken off."""
        self._mean = state_dict["mean"]
        self._num_good, self._num_skipped = int(state_dict["good"]), int(state_dict["skipped"])

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: DepthBatch, batch_idx: int
    ) -> None:
        """Note which samples take part."""
        self._keys += batch["key"]

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Look at the gradients."""
        norm = gradient_norm(pl_module)
        keys, self._keys = self._keys, []
        if not self._is_bad(norm):
            self._mean = MEMORY * self._mean + (1 - MEMORY) * norm if self._num_good else norm
            self._num_good += 1
            return
        file = _write(trainer, norm, keys)
        sentence = (
            f"the gradients' norm must be a number of usual size, got {norm} at step "
            f"{trainer.global_step} for the samples {', '.join(keys)}"
        )
        if self.policy == "stop" or self._num_skipped >= self.max_skipped:
            seen = f"; take the step again: ppvd debug batch {file}" if file else ""
            raise BadStepError(f"{sentence}{seen}")
        self._num_skipped += 1
        log.warning("skipped a step: %s", sentence)
        optimizer.zero_grad(set_to_none=True)  # Without gradients, no weight takes part.

    def _is_bad(self, norm: float) -> bool:
        if not math.isfinite(norm):
            return True
        settled = self.max_growth is not None and self._num_good >= SETTLED
        return settled and norm > (self.max_growth or 0.0) * self._mean


def gradient_norm(module: torch.nn.Module) -> float:
    """Return the norm of all gradients, over all processes that share the weights."""
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    total: Tensor = torch.nn.utils.get_total_norm(gradients)
    whole = total.full_tensor() if hasattr(total, "full_tensor") else total
    return float(whole)


def _write(trainer: Trainer, norm: float, keys: list[str]) -> Path | None:
    if not trainer.log_dir:
        return None
    rank = f"_rank_{trainer.global_rank}" if trainer.global_rank else ""
    file = Path(trainer.log_dir) / f"bad_step_{trainer.global_step}{rank}.json"
    content = {
        "step": trainer.global_step,
        "epoch": trainer.current_epoch,
        "rank": trainer.global_rank,
        "norm": str(norm),
        "keys": keys,
    }
    write_whole(file, f"{json.dumps(content, indent=2)}\n".encode())
    return file
