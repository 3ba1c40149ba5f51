"""From which checkpoint a training goes on: the furthest of the newest run that is whole."""

import logging
from dataclasses import replace
from pathlib import Path

from ppvd.cli.checkpoint import Checkpoint, candidates, read_file, runs_below
from ppvd.cli.mistakes import UsageError
from ppvd.scale import require_whole

log = logging.getLogger(__name__)


def furthest(folder: Path) -> Checkpoint | None:
    """Return the checkpoint with the most steps of the newest run that has a whole one.

    Args:
        folder: A run's folder, or an experiment's; or a folder of checkpoints.

    Returns:
        The checkpoint; ``None`` if there is none. Damaged ones are passed over and named.
    """
    for run in runs_below(folder):
        readable = filter(None, map(_readable, candidates(run)))
        for found in sorted(readable, key=_steps, reverse=True):
            if _is_whole(found):
                return replace(found, choice=f" (step {_steps(found)})")
    return None


def _readable(file: Path) -> Checkpoint | None:
    try:
        return read_file(file)
    except UsageError as error:
        log.warning("passed over: %s", error)
        return None


def _is_whole(checkpoint: Checkpoint) -> bool:
    if checkpoint.path.is_dir():
        return True  # Such a folder appears whole or not at all.
    try:
        require_whole(checkpoint.path)
    except ValueError as error:
        log.warning("passed over: %s", error)
        return False
    return True


def _steps(checkpoint: Checkpoint) -> int:
    return int(checkpoint.content.get("global_step", 0))
