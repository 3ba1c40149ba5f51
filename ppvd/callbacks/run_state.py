"""What became of a run, in its folder, for those who look later."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer

from ppvd.whole import write_whole

FILE = "run.json"


class Stopped(Exception):  # noqa: N818  # It is no error.
    """A run was asked to stop, and has saved itself before it did."""


class RunState(Callback):
    """Keep ``run.json`` in the run's folder: the command, the steps taken, and how it ended.

    Its ``state`` is ``running``, ``finished``, ``failed``, or ``stopped`` if it has saved itself to
    go on later; of a run that was killed, ``running`` remains, with the number of a process that
    is gone.

    Args:
        command: Words that started the run.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        self._folder: Path | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write that it runs."""
        folder = trainer.log_dir  # Every process must ask for it.
        if trainer.is_global_zero and trainer.loggers and folder:
            self._folder = Path(folder)
        self._write(trainer, "running")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the scores so far."""
        if not trainer.sanity_checking:
            self._write(trainer, "running")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write that it is over."""
        self._write(trainer, "finished")

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Write why it is over."""
        state = "stopped" if isinstance(exception, Stopped) else "failed"
        self._write(trainer, state, reason=str(exception) or type(exception).__name__)

    def _write(self, trainer: Trainer, state: str, *, reason: str | None = None) -> None:
        if self._folder is None:
            return
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        content = {
            "state": state,
            "reason": reason,
            "command": self.command,
            "folder": str(Path.cwd()),
            "host": platform.node(),
            "process": os.getpid(),
            "step": trainer.global_step,
            "metrics": metrics,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_whole(self._folder / FILE, f"{json.dumps(content, indent=2)}\n".encode())
