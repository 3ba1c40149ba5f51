"""What is known of a sweep, in lines."""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from ppvd.sweep.space import Sweep
from ppvd.sweep.study import left
from ppvd.sweep.trials import TrialCommand


def status_lines(sweep: Sweep, trials: Sequence[FrozenTrial]) -> list[str]:
    """Return how many trials are in which state, where they run, and those that failed."""
    counted = Counter(trial.state.name.lower() for trial in trials)
    states = ", ".join(f"{count} {state}" for state, count in sorted(counted.items()))
    lines = [f"{sweep.name}: {len(trials)} of {sweep.num_planned} trials begun: {states or 'none'}"]
    gone = {trial.number for trial in left(trials)}
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    lines += [f"  trial {t.number}: {_where(t, t.number in gone)}" for t in running]
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    return lines + [f"  trial {t.number}: {t.user_attrs.get('reason', 'failed')}" for t in failed]


def best_lines(
    sweep: Sweep, trials: Sequence[FrozenTrial], command: TrialCommand, root: Path
) -> list[str]:
    """Return the best trial, its settings, and how to train so again."""
    ranked = _ranked(sweep, trials)
    if not ranked:
        return [f"{sweep.name}: no trial is complete"]
    best = ranked[0]
    number = best.user_attrs.get("same_as", best.number)
    words = [*command.words, *(f"--{key}={value}" for key, value in best.params.items())]
    return [
        f"trial {number}: {sweep.metric} = {best.value:.6g}",
        *(f"  {key} = {value}" for key, value in best.params.items()),
        f"  run: {root / command.experiment(number)}",
        f"  again: ppvd fit {shlex.join(words)}",
    ]


def report_lines(sweep: Sweep, trials: Sequence[FrozenTrial]) -> list[str]:
    """Return all complete trials as a table in Markdown, the best first."""
    keys = list(sweep.space)
    lines = [
        f"| trial | {sweep.metric} | {' | '.join(keys)} |",
        f"|---|---|{'---|' * len(keys)}",
    ]
    for trial in _ranked(sweep, trials):
        values = " | ".join(f"{trial.params[key]}" for key in keys)
        lines.append(f"| {trial.number} | {trial.value:.6g} | {values} |")
    return lines


def _where(trial: FrozenTrial, is_left: bool) -> str:
    owner = trial.user_attrs.get("owner", {"job": None, "worker": "?", "host": "?"})
    place = f"job {owner['job']}" if owner["job"] else f"process {owner['worker']}"
    place = f"{place} on {owner['host']}"
    scores = trial.intermediate_values
    so_far = f", {scores[max(scores)]:.6g} at step {max(scores)}" if scores else ""
    gone = ", which is gone: the next worker goes on with it"
    return f"left by {place}{so_far}{gone}" if is_left else f"runs in {place}{so_far}"


def _ranked(sweep: Sweep, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    sign = 1.0 if sweep.direction == "minimize" else -1.0
    return sorted(complete, key=lambda trial: sign * float(trial.value or 0.0))
