"""Learning-rate schedules that know how long the run is."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


class WarmupCosine(LambdaLR):
    """Linear warm-up, then a half cosine down to a floor ("ours"; the paper's rate is constant).

    Args:
        optimizer: Optimiser whose rates are scaled.
        total_steps: Optimiser steps of the whole run; the task fills it in.
        warmup_fraction: Share of the run that warms up, in [0, 1).
        floor: Last rate as a share of the full one.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        *,
        warmup_fraction: float = 0.05,
        floor: float = 0.01,
    ) -> None:
        if not 0 <= warmup_fraction < 1:
            raise ValueError(f"warmup_fraction must be in [0, 1), got {warmup_fraction}")
        warmup_steps = max(1, round(warmup_fraction * total_steps))

        def factor(step: int) -> float:
            if step < warmup_steps:
                return (step + 1) / warmup_steps
            progress = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
            return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))

        super().__init__(optimizer, factor)
