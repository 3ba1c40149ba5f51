"""Callbacks that write down what a run does, and make it wait for what happens to it."""

import json
import os
import time
from pathlib import Path

from lightning.pytorch import Callback

from ppvd.scale import StopOnSignal


class Note(Callback):
    """Writes a line for each step and rank: the step, the loss to its last bit, own samples."""

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):  # noqa: ARG002
        loss = float(outputs["loss"]).hex()
        line = {"step": trainer.global_step, "loss": loss, "keys": list(batch["key"])}
        with Path(f"steps-{trainer.global_rank}").open("a") as file:
            file.write(json.dumps(line) + "\n")


class AwaitSignal(Callback):
    """Waits after a step of the job's first run until it is asked to stop."""

    def __init__(self, step: int):
        self.step = step

    def on_train_batch_end(self, trainer, *_):
        stop = next(one for one in trainer.callbacks if isinstance(one, StopOnSignal))
        if trainer.global_step == self.step and restarts() == 0:
            while not stop._is_asked:
                time.sleep(0.05)


class AwaitDeath(Callback):
    """Waits after a step of the job's second run until its node dies."""

    def __init__(self, step: int):
        self.step = step

    def on_train_batch_end(self, trainer, *_):
        while trainer.global_step == self.step and restarts() == 1:
            time.sleep(0.05)


class AwaitFile(Callback):
    """Waits after a step until a file is there."""

    def __init__(self, path: str, step: int):
        self.path, self.step = Path(path), step

    def on_train_batch_end(self, trainer, *_):
        while trainer.global_step == self.step and not self.path.exists():
            time.sleep(0.05)


def restarts():
    return int(os.environ.get("SLURM_RESTART_COUNT", "0"))
