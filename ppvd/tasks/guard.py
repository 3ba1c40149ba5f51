"""A watch over the training loss that does not make the device wait at every step."""

from collections.abc import Sequence

import torch
from torch import Tensor


class NonFiniteLossError(ValueError):
    """The loss became NaN or infinite; the message names the step and its samples."""


class LossGuard:
    """Collects losses and looks at them in groups.

    On a CPU every loss is looked at where it arises. On an accelerator a look costs a
    synchronisation, so it happens every ``interval`` steps and whenever ``check`` is called
    (before validation and before a checkpoint is written).

    Args:
        interval: Steps between two looks on an accelerator.

    Attributes:
        is_on: Whether it looks at all; ``BadSteps`` takes its place.
    """

    def __init__(self, interval: int = 50) -> None:
        self.is_on = True
        self._interval = interval
        self._waiting: list[tuple[int, Sequence[str], Tensor]] = []

    def watch(self, loss: Tensor, *, step: int, keys: Sequence[str]) -> None:
        """Take one step's loss, a scalar, with the names of its samples."""
        if not self.is_on:
            return
        self._waiting.append((step, keys, torch.isfinite(loss.detach())))
        if loss.device.type == "cpu" or len(self._waiting) >= self._interval:
            self.check()

    def check(self) -> None:
        """Look at all losses collected since the last look.

        Raises:
            NonFiniteLossError: If one of them was not finite; names the first.
        """
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        finite = torch.stack([flag for _, _, flag in waiting]).tolist()
        for (step, keys, _), good in zip(waiting, finite, strict=True):
            if not good:
                raise NonFiniteLossError(
                    f"train/loss must be finite, got NaN or infinity at step {step} for the "
                    f"samples {', '.join(keys)}; lower the learning rate, clip gradients "
                    f"(trainer.gradient_clip_val) or look at these samples"
                )
