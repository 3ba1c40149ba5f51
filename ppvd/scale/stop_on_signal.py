"""A run that is about to be ended saves itself first."""

import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from ppvd.callbacks import Stopped

FILE = "stopped.ckpt"


class StopOnSignal(Checkpoint):
    """After SIGUSR1 to any of its processes, save when a step is over, and stop.

    Slurm sends the signal with ``#SBATCH --signal=USR1@120``; ``ppvd fit`` then has the job
    requeued. Started again by the same words with ``--ckpt_path=last``, the run goes on with the
    very next step. Lightning's own way saves in the middle of a step, into the working folder,
    where another run would find it.

    It is one of the checkpoint callbacks, which come after all others: averages have then been
    moved, too.

    Raises:
        Stopped: From ``trainer.fit``, once saved: an ordinary stop would end the epoch first, with
            a validation and checkpoints that an uninterrupted run has not.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._any_was_asked: Tensor | None = None
        self._has_put_off = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Listen to the signal, in Lightning's place; a main thread can, save on Windows."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and sys.platform != "win32":
            signal.signal(signal.SIGUSR1, self._ask)

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Save and stop, if any process was asked to a step ago."""
        known = self._any_was_asked
        # Read a step later, when the device has long been there: it need not be waited for.
        self._any_was_asked = _any(self._is_asked, trainer.strategy.root_device)
        if known is None or not known or self._puts_off(trainer):
            return
        trainer.save_checkpoint(Path(trainer.log_dir or ".") / "checkpoints" / FILE)
        raise Stopped(f"saved at step {trainer.global_step}")

    def _puts_off(self, trainer: Trainer) -> bool:
        """Tell whether a continued run would lack something if this one stopped now.

        That is gradients that add up, and a validation that is due. The next step may have one due
        as well, and is the last all the same.
        """
        loop, fetcher = trainer.fit_loop, trainer.fit_loop._data_fetcher
        assert fetcher is not None
        if loop._should_accumulate():
            return True
        is_due = loop.epoch_loop._should_check_val_fx(fetcher)
        puts_off = is_due and not self._has_put_off
        self._has_put_off = is_due
        return puts_off

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._is_asked = True


def _any(is_so: bool, device: torch.device) -> Tensor:
    """Return whether it is so in any process; Lightning's own way would be a barrier."""
    told = torch.full((), is_so, dtype=torch.int32, device=device)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX)
    return told
