"""Chance that a continued run draws as an uninterrupted one would."""

import os

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class SeedSteps(Callback):
    """Seed each training step by the run's seed, its epoch and batch, and the rank.

    Times and noise (Eq. 1) then depend on where the step stands and not on what ran before it: a
    run continued in the middle of an epoch draws what it would have drawn. Ranks differ, where one
    seed for all would give every rank the same noise.

    Args:
        seed: Seed of all steps; None for the one that ``seed_everything`` has set, else 0.

    Raises:
        ValueError: If ``seed`` is negative.
    """

    def __init__(self, seed: int | None = None) -> None:
        if seed is not None and seed < 0:
            raise ValueError(f"seed must be at least 0, got {seed}")
        self.seed = seed

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Seed PyTorch on all devices."""
        seed = int(os.environ.get("PL_GLOBAL_SEED", "0")) if self.seed is None else self.seed
        place = [seed, trainer.current_epoch, batch_idx, trainer.global_rank]
        (number,) = np.random.SeedSequence(place).generate_state(1, np.uint64).tolist()
        torch.manual_seed(number >> 1)
