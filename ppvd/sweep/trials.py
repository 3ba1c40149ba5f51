"""Trials as processes: each is a plain ``ppvd fit`` with a folder of its own."""

import ctypes
import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppvd import slurm

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class TrialCommand:
    """How a trial is started.

    Attributes:
        words: Words of ``ppvd fit`` that all trials have in common.
        name: Of the sweep; a trial's run lies in ``lightning_logs/sweeps/<name>/trial_<n>``.
    """

    words: Sequence[str]
    name: str

    def experiment(self, number: int) -> str:
        """Return the name of a trial's experiment."""
        return f"sweeps/{self.name}/trial_{number}"

    def __call__(self, number: int, params: Mapping[str, object]) -> list[str]:
        """Return the words after ``ppvd``; begun again, they go on from the trial's checkpoint."""
        chosen = [f"--{key}={_word(value)}" for key, value in params.items()]
        name = f"--experiment={self.experiment(number)}"
        return ["fit", *self.words, *chosen, name, "--ckpt_path=last"]


def read_run(folder: Path) -> dict[str, Any]:
    """Return what the newest run of a trial has written of itself; empty if nothing."""
    files = sorted(folder.glob("version_*/run.json"), key=lambda file: file.stat().st_mtime)
    if not files:
        return {}
    run: dict[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
    return run


def start(words: list[str], root: Path, device: str | None) -> subprocess.Popen[bytes]:
    """Start a trial, which dies with this process; what it says is added to a log of its own.

    It is no task of a job of Slurm, but a process that may start others by itself.

    Args:
        words: Words after ``ppvd``.
        root: Folder of the runs.
        device: Value of ``CUDA_VISIBLE_DEVICES``; ``None`` leaves it alone.
    """
    chosen = {} if device is None else {"CUDA_VISIBLE_DEVICES": device}
    experiment = next(word for word in words if word.startswith("--experiment="))
    log = root / f"{experiment.partition('=')[2]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "ppvd", *words],
            env={**slurm.without_job(), **chosen},
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_worker if sys.platform == "linux" else None,
        )


def _die_with_worker() -> None:
    """Ask Linux to end this process with the worker, who may be killed and cannot do it then."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _word(value: object) -> str:
    return json.dumps(value) if not isinstance(value, str) else value
