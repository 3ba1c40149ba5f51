"""A worker of a sweep: looks after the processes of its trials."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import Trial

from ppvd.sweep.study import SharedStudy
from ppvd.sweep.trials import TrialCommand, read_run, start

PAUSE = 0.2
"""Seconds between two looks at the processes."""


@dataclass
class _Running:
    trial: Trial
    process: subprocess.Popen[bytes]
    slot: int
    num_started: int = 1
    last_step: int = -1


class Worker:
    """Runs trials, several at a time.

    Args:
        study: Where trials come from.
        command: How a trial is started.
        root: Folder of the runs, ``lightning_logs``.
        num_jobs: Trials at a time.
        devices: Value of ``CUDA_VISIBLE_DEVICES`` for each of them; ``None`` leaves it alone.
        say: Told what becomes of each trial.
    """

    def __init__(
        self,
        study: SharedStudy,
        command: TrialCommand,
        *,
        root: Path,
        num_jobs: int = 1,
        devices: Sequence[str] | None = None,
        say: Callable[[str], object] = str,
    ) -> None:
        self.study = study
        self.command = command
        self.root = root
        self.num_jobs = num_jobs
        self.devices = devices
        self.say = say
        self._running: list[_Running] = []
        self._is_asked = False

    def work(self) -> bool:
        """Run trials until none is left, or until it is asked to stop.

        Returns:
            Whether none is left.
        """
        try:
            while True:
                self._begin_trials()
                if not self._running:
                    return not self._is_asked
                time.sleep(PAUSE)
                self._running = [one for one in self._running if self._goes_on(one)]
        finally:
            for one in self._running:
                one.process.kill()

    def stop(self, *_: object) -> None:
        """Ask all trials to save themselves and to stop; whoever works next goes on with them."""
        self._is_asked = True
        for one in self._running:
            one.process.send_signal(signal.SIGUSR1)

    def _begin_trials(self) -> None:
        for slot in sorted(set(range(self.num_jobs)) - {one.slot for one in self._running}):
            trial = None if self._is_asked else self.study.claim()
            if trial is None:
                return
            words = self.command(trial.number, trial.params)
            self.say(f"trial {trial.number}: ppvd {shlex.join(words)}")
            self._running.append(_Running(trial, self._start(trial, slot), slot))

    def _start(self, trial: Trial, slot: int) -> subprocess.Popen[bytes]:
        words = self.command(trial.number, trial.params)
        return start(words, self.root, self.devices[slot] if self.devices else None)

    def _goes_on(self, one: _Running) -> bool:
        """Look after a trial; return whether it still runs."""
        code = one.process.poll()
        if code is None:
            return not self._pruned(one)
        if code < 0 or code == os.EX_TEMPFAIL:  # By a signal, or as one asked it to.
            return self._begin_again(one, code)
        self._note(one.trial, code)
        return False

    def _begin_again(self, one: _Running, code: int) -> bool:
        what = f"killed by signal {-code}" if code < 0 else "stopped"
        if self._is_asked:
            self.say(f"trial {one.trial.number}: {what}, left to the next worker")
            return False
        if one.num_started > self.study.sweep.max_retries:
            self._note(one.trial, code)
            return False
        self.say(f"trial {one.trial.number}: {what}, begun again")
        one.process, one.num_started = self._start(one.trial, one.slot), one.num_started + 1
        return True

    def _note(self, trial: Trial, code: int) -> None:
        """Note how a trial ended."""
        folder = self.root / self.command.experiment(trial.number)
        metric = self.study.sweep.metric
        value = read_run(folder).get("metrics", {}).get(metric)
        if code == 0 and value is not None:
            self.study.finish(trial, value)
            self.say(f"trial {trial.number}: {metric} = {value:.6g}")
            return
        reason = f"it ended with code {code}" if code else f"it did not log {metric}"
        self.study.fail(trial, reason)
        self.say(f"trial {trial.number}: failed: {reason}; see {folder}.log")

    def _pruned(self, one: _Running) -> bool:
        """Report a new validation, and end the trial if it lags behind."""
        run = read_run(self.root / self.command.experiment(one.trial.number))
        metric = self.study.sweep.metric
        step, value = run.get("step", 0), run.get("metrics", {}).get(metric)
        if value is None or step <= one.last_step:
            return False
        one.last_step = step
        one.trial.report(value, step)
        if not one.trial.should_prune():
            return False
        one.process.kill()
        one.process.wait()
        self.study.prune(one.trial)
        self.say(f"trial {one.trial.number}: ended at step {step}, {metric} = {value:.6g}")
        return True
