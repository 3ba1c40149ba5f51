"""Trials as processes: each is a plain ``ppvd fit`` with a folder of its own."""

import ctypes
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import Trial

from ppvd.sweep.study import SharedStudy

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PAUSE = 0.2
"""Seconds between two looks at the processes."""


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


@dataclass
class _Running:
    trial: Trial
    process: subprocess.Popen[bytes]
    slot: int
    num_started: int = 1
    last_step: int = -1


def work(
    study: SharedStudy,
    command: TrialCommand,
    *,
    root: Path,
    num_jobs: int = 1,
    devices: Sequence[str] | None = None,
    say: Callable[[str], object] = str,
) -> None:
    """Run trials, several at a time, until none is left.

    Args:
        study: Where trials come from.
        command: How a trial is started.
        root: Folder of the runs, ``lightning_logs``.
        num_jobs: Trials at a time.
        devices: Value of ``CUDA_VISIBLE_DEVICES`` for each of them; ``None`` leaves it alone.
        say: Told what becomes of each trial.
    """
    running: list[_Running] = []
    try:
        while True:
            free = sorted(set(range(num_jobs)) - {one.slot for one in running})
            for slot in free:
                trial = study.claim()
                if trial is None:
                    break
                words = command(trial.number, trial.params)
                say(f"trial {trial.number}: ppvd {shlex.join(words)}")
                running.append(_Running(trial, _start(words, slot, root, devices), slot))
            if not running:
                return
            time.sleep(PAUSE)
            running = [one for one in running if _goes_on(one, study, command, root, devices, say)]
    finally:
        for one in running:
            one.process.kill()


def _goes_on(
    one: _Running,
    study: SharedStudy,
    command: TrialCommand,
    root: Path,
    devices: Sequence[str] | None,
    say: Callable[[str], object],
) -> bool:
    """Look after a trial; return whether it still runs."""
    folder = root / command.experiment(one.trial.number)
    code = one.process.poll()
    if code is None:
        return not _pruned(one, study, folder, say)
    if code < 0 and one.num_started <= study.sweep.max_retries:  # By a signal.
        say(f"trial {one.trial.number}: killed by signal {-code}, begun again")
        words = command(one.trial.number, one.trial.params)
        one.process, one.num_started = _start(words, one.slot, root, devices), one.num_started + 1
        return True
    value = read_run(folder).get("metrics", {}).get(study.sweep.metric)
    if code == 0 and value is not None:
        study.finish(one.trial, value)
        say(f"trial {one.trial.number}: {study.sweep.metric} = {value:.6g}")
        return False
    reason = f"it ended with code {code}" if code else f"it did not log {study.sweep.metric}"
    study.fail(one.trial, reason)
    say(f"trial {one.trial.number}: failed: {reason}; see {folder}.log")
    return False


def _pruned(one: _Running, study: SharedStudy, folder: Path, say: Callable[[str], object]) -> bool:
    """Report a new validation, and end the trial if it lags behind."""
    run = read_run(folder)
    step, value = run.get("step", 0), run.get("metrics", {}).get(study.sweep.metric)
    if value is None or step <= one.last_step:
        return False
    one.last_step = step
    one.trial.report(value, step)
    if not one.trial.should_prune():
        return False
    one.process.kill()
    one.process.wait()
    study.prune(one.trial)
    say(f"trial {one.trial.number}: ended at step {step}, {study.sweep.metric} = {value:.6g}")
    return True


def read_run(folder: Path) -> dict[str, Any]:
    """Return what the newest run of a trial has written of itself; empty if nothing."""
    files = sorted(folder.glob("version_*/run.json"), key=lambda file: file.stat().st_mtime)
    if not files:
        return {}
    run: dict[str, Any] = json.loads(files[-1].read_text(encoding="utf-8"))
    return run


def _start(
    words: list[str], slot: int, root: Path, devices: Sequence[str] | None
) -> subprocess.Popen[bytes]:
    chosen = {} if devices is None else {"CUDA_VISIBLE_DEVICES": devices[slot]}
    experiment = next(word for word in words if word.startswith("--experiment="))
    log = root / f"{experiment.partition('=')[2]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "ppvd", *words],
            env={**os.environ, **chosen},
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_worker if sys.platform == "linux" else None,
        )


def _die_with_worker() -> None:
    """Ask Linux to end this process with the worker, who may be killed and cannot do it then."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _word(value: object) -> str:
    return json.dumps(value) if not isinstance(value, str) else value
