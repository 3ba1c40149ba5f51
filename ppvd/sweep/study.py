"""A study in a file that several workers share, on one machine or a common file system."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from ppvd import slurm
from ppvd.sweep.space import Sweep

JOURNAL = "study.journal"


class SharedStudy:
    """Hands each trial to one worker at a time.

    What a worker asks, it asks under a lock, so that two of them neither take the same trial nor
    begin more than planned. A trial whose worker is gone is handed to the next one that asks. A
    worker of another machine is believed to live, unless Slurm knows that its job does not run.

    Args:
        sweep: What is looked for.
        folder: Folder of the sweep.
    """

    def __init__(self, sweep: Sweep, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.sweep = sweep
        self.folder = folder
        self._lock = FileLock(folder / "study.lock")
        self._study = open_study(folder, sweep)
        with self._lock:
            for combination in sweep.combinations:
                self._study.enqueue_trial(combination, skip_if_exists=True)

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials so far."""
        trials: list[FrozenTrial] = self._study.get_trials(deepcopy=False)
        return trials

    def claim(self) -> Trial | None:
        """Return a trial to work on: one that was left, else a new one; ``None`` if all are out.

        A new trial with the settings of an earlier one takes over its result and is not run.
        """
        with self._lock:
            for left in self._left():
                return self._own(Trial(self._study, left._trial_id))
            while (number := len(self._begun())) < self.sweep.num_planned:
                # Draws then depend on the results so far, and not on who asks.
                self._study.sampler = self.sweep.build_sampler(number)
                trial = self._study.ask(self.sweep.distributions)
                twin = self._twin(trial)
                if twin is None:
                    return self._own(trial)
                trial.set_user_attr("same_as", twin.number)
                if twin.state == TrialState.COMPLETE:
                    self._study.tell(trial, twin.value)
                else:
                    self._study.tell(trial, state=TrialState.PRUNED)
        return None

    def finish(self, trial: Trial, value: float) -> None:
        """Note the result of a trial."""
        self._study.tell(trial, value)

    def prune(self, trial: Trial) -> None:
        """Note that a trial was ended early."""
        self._study.tell(trial, state=TrialState.PRUNED)

    def fail(self, trial: Trial, reason: str) -> None:
        """Note that a trial went wrong."""
        trial.set_user_attr("reason", reason)
        self._study.tell(trial, state=TrialState.FAIL)

    def _own(self, trial: Trial) -> Trial:
        owner = {"host": platform.node(), "worker": os.getpid(), "job": slurm.run_of_job()}
        trial.set_user_attr("owner", owner)  # At once: others read without the lock.
        return trial

    def _begun(self) -> list[FrozenTrial]:
        return [trial for trial in self.trials if trial.state != TrialState.WAITING]

    def _left(self) -> list[FrozenTrial]:
        return left(self.trials)

    def _twin(self, trial: Trial) -> FrozenTrial | None:
        return next(
            (
                other
                for other in self.trials
                if other.params == trial.params
                and other.number < trial.number
                and other.state in (TrialState.COMPLETE, TrialState.RUNNING)
            ),
            None,
        )


def open_study(folder: Path, sweep: Sweep) -> optuna.Study:
    """Open the study in a folder, or begin it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    return optuna.create_study(
        storage=storage,
        study_name=sweep.name,
        direction=sweep.direction,
        load_if_exists=True,
        pruner=sweep.build_pruner(),
    )


def left(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that were begun, and whose worker is gone."""
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    owners = {trial.number: trial.user_attrs.get("owner", {}) for trial in running}
    jobs = slurm.runs_at_work() if any(one.get("job") for one in owners.values()) else None
    return [trial for trial in running if not _lives(owners[trial.number], jobs)]


def _lives(owner: dict[str, object], jobs: set[str] | None) -> bool:
    job = owner.get("job")
    if not owner or (job and jobs is not None and job not in jobs):
        return False
    if owner["host"] != platform.node():
        return True
    if owner["worker"] == os.getpid():
        return job == slurm.run_of_job()
    try:
        os.kill(int(str(owner["worker"])), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
