"""A Slurm job that is about to end saves itself and asks to be started again."""

import os
import signal
import subprocess
from pathlib import Path
from types import FrameType

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

FILE = "requeue.ckpt"


class Requeue(Checkpoint):
    """After SIGUSR1, save when the step is over, requeue the job, and end.

    Slurm sends the signal with ``#SBATCH --signal=USR1@90``. Started again by the same words with
    ``--ckpt_path=last``, the run goes on with the very next step. Lightning's own way saves in the
    middle of a step, into the working folder, where another run would find it.

    It is one of the checkpoint callbacks, which come after all others: averages have then been
    moved, too.
    """

    def __init__(self) -> None:
        self._is_asked = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Listen to the signal, in Lightning's place."""
        signal.signal(signal.SIGUSR1, self._ask)

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Save and requeue, if any process was asked to."""
        if not trainer.strategy.reduce_boolean_decision(self._is_asked, all=False):
            return
        self._is_asked = False
        trainer.save_checkpoint(Path(trainer.log_dir or ".") / "checkpoints" / FILE)
        if trainer.is_global_zero:
            subprocess.run(["scontrol", "requeue", _job()], check=True)
        trainer.should_stop = True

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._is_asked = True


def in_slurm() -> bool:
    """Tell whether this process belongs to a job of Slurm."""
    return "SLURM_JOB_ID" in os.environ


def _job() -> str:
    """Return the job's name for ``scontrol``; of an array, that of the task."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    if array:
        return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ["SLURM_JOB_ID"]
