"""Checkpoints on disk: which file is meant, and what it remembers."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from ppvd.cli.mistakes import UsageError, did_you_mean

_SHARDED = "meta.pt"  # Lightning's name for what is no tensor in a sharded checkpoint.


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file that was found and read.

    Attributes:
        path: The file (or, of a sharded checkpoint, the folder).
        content: What is stored; tensors stay on disk until they are used.
        choice: Why this one of several, such as `` (best val/rooms/abs_rel)``; else empty.
    """

    path: Path
    content: Mapping[str, Any]
    choice: str = ""

    @property
    def run(self) -> Path:
        """Folder of the run that wrote it."""
        folder = self.path.parent
        return folder.parent if folder.name == "checkpoints" else folder

    @property
    def run_config(self) -> dict[str, Any]:
        """Whole configuration of that run; empty if it is not there."""
        file = self.run / "config.yaml"
        if not file.is_file():
            return {}
        return dict(yaml.safe_load(file.read_text(encoding="utf-8")))

    @property
    def experiment(self) -> str:
        """Name of the experiment it belongs to: as saved, else the folder above ``version_N``."""
        folder = self.run.parent if self.run.name.startswith("version_") else self.run
        return str(self.run_config.get("experiment") or folder.name)

    @property
    def model(self) -> dict[str, Any]:
        """Configuration of the model as it was trained; empty if it remembers none."""
        remembered = dict(self.content.get("hyper_parameters", {}))
        remembered.pop("_instantiator", None)
        if "_class_path" not in remembered:
            return {}
        return {"class_path": remembered.pop("_class_path"), "init_args": remembered}


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Find and read a checkpoint; nothing in it is executed.

    Args:
        path: A checkpoint file; or a run's folder, of which the best checkpoint is taken, else
            the last one; or an experiment's folder, of which the newest run is taken.

    Raises:
        UsageError: If there is none, or it is no checkpoint.
    """
    files = _candidates(Path(path))
    newest = read_file(max(files, key=lambda file: file.stat().st_mtime))
    if len(files) == 1:
        return newest
    best, monitor = _best(newest)
    for file in files:
        if file.name == best:
            return replace(read_file(file), choice=f" (best {monitor})")
    return replace(newest, choice=" (last)")


def mismatch(checkpoint: Checkpoint, state: Mapping[str, Tensor]) -> str:
    """Say in a sentence how the checkpoint's weights differ from a network's ``state``."""
    stored = checkpoint.content["state_dict"]
    lines = [f"lacks {name}" for name in state if name not in stored]
    lines += [f"has {name} besides" for name in stored if name not in state]
    lines += [
        f"{name} is {tuple(stored[name].shape)}, wanted {tuple(state[name].shape)}"
        for name in state
        if name in stored and stored[name].shape != state[name].shape
    ]
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return (
        f"{checkpoint.path} holds the weights of another network: {'; '.join(lines[:3])}{more}; "
        f"it was made by the recipe {checkpoint.run / 'config.yaml'}"
    )


def read_file(file: Path) -> Checkpoint:
    """Read the checkpoint of that very name.

    Raises:
        UsageError: If it is none.
    """
    source = file / _SHARDED if file.is_dir() else file
    try:
        content = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, FileNotFoundError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{file} must be a checkpoint, but cannot be read: {reason}") from error
    if not isinstance(content, dict) or not {"state_dict", "hyper_parameters"} & set(content):
        raise UsageError(
            f"{file} must be a checkpoint of `ppvd fit`, but holds no state_dict; published "
            f"weights are given as --model.init_args.initial_weights"
        )
    return Checkpoint(file, content)


def _candidates(path: Path) -> list[Path]:
    """Return the checkpoint itself, or all of the newest run with one in a folder."""
    if path.is_file() or (path / _SHARDED).is_file():
        return [path]
    if not path.is_dir():
        siblings = [str(p) for p in path.parent.glob("*")] if path.parent.is_dir() else []
        raise UsageError(f"checkpoint {path} does not exist{did_you_mean(str(path), siblings)}")
    for folder in runs_below(path):
        if files := candidates(folder):
            return files
    raise UsageError(f"{path} must hold a run, but there is no checkpoint (*.ckpt) in it")


def runs_below(folder: Path) -> list[Path]:
    """Return the folder, which may be a run's, and the runs in it, newest first."""
    return [folder, *sorted(folder.glob("version_*"), key=_version, reverse=True)]


def candidates(run: Path) -> list[Path]:
    """Return all checkpoints of one run."""
    return [*run.glob("checkpoints/*.ckpt"), *run.glob("*.ckpt")]


def _version(folder: Path) -> int:
    number = folder.name.removeprefix("version_")
    return int(number) if number.isdigit() else -1


def _best(checkpoint: Checkpoint) -> tuple[str, str]:
    """Return name and monitor of the best checkpoint that this one remembers."""
    for state in checkpoint.content.get("callbacks", {}).values():
        if isinstance(state, dict) and state.get("monitor") and state.get("best_model_path"):
            return Path(state["best_model_path"]).name, state["monitor"]
    return "", ""
