"""From which checkpoint a training goes on: the furthest of the newest run that is whole."""

import logging
from dataclasses import replace
from pathlib import Path

from ppvd.cli.checkpoint import Checkpoint, candidates, read_checkpoint, read_file, runs_below
from ppvd.cli.given import Given
from ppvd.cli.mistakes import UsageError
from ppvd.cli.stored import copy_of_newest, saved_to
from ppvd.data.storage import is_url
from ppvd.scale import require_whole

log = logging.getLogger(__name__)


def asked_checkpoint(verb: str, given: Given, *, log_folder: str) -> Checkpoint | None:
    """Read the checkpoint asked for; of Lightning's key words only those that make sense."""
    if given.ckpt_path is None or (verb == "fit" and given.ckpt_path == "hpc"):
        return None
    if is_url(given.ckpt_path):
        if found := _copied(given.ckpt_path, log_folder):
            return found
        raise UsageError(f"{given.ckpt_path} must hold a whole checkpoint, but there is none")
    if verb == "fit" and (found := _going_on(given, given.ckpt_path, log_folder)):
        return found
    if verb == "fit" and given.ckpt_path == "last":
        return None  # Lightning looks where its own callbacks keep them.
    if given.ckpt_path in ("best", "last", "hpc") and not Path(given.ckpt_path).exists():
        raise UsageError(
            f"ckpt_path={given.ckpt_path} means a training in this same process, and there was "
            f"none; give the run: --ckpt_path {log_folder}/NAME/version_N"
        )
    return read_checkpoint(given.ckpt_path)


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


def _going_on(given: Given, ckpt_path: str, log_folder: str) -> Checkpoint | None:
    """Return where a training goes on: in its own experiment's folder, or in that of a run."""
    if ckpt_path != "last":
        return furthest(Path(ckpt_path)) if Path(ckpt_path).is_dir() else None
    root = Path(str(given.setting("trainer", "default_root_dir") or "."))
    here = furthest(root / log_folder / (given.experiment or given.stem or "unnamed"))
    stored = (_copied(url, log_folder) for url in saved_to(given))
    return max(filter(None, (here, *stored)), key=_steps, default=None)


def _copied(url: str, log_folder: str) -> Checkpoint | None:
    """Return a copy of what a store holds; the recipe must be given beside it."""
    copy = copy_of_newest(url, folder=Path(log_folder) / "copied")
    if copy is None:
        return None
    found = read_file(copy)
    return replace(found, choice=f" (step {_steps(found)} of {url})")


def _readable(file: Path) -> Checkpoint | None:
    try:
        return read_file(file)
    except UsageError as error:
        log.warning("passed over: %s", error)
        return None


def _is_whole(checkpoint: Checkpoint) -> bool:
    try:
        require_whole(checkpoint.path)
    except ValueError as error:
        log.warning("passed over: %s", error)
        return False
    return True


def _steps(checkpoint: Checkpoint) -> int:
    return int(checkpoint.content.get("global_step", 0))
