"""``ppvd runs``: which runs there are, what became of them, and how they go on."""

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

from ppvd.cli.parser import VerbParser

LOG_FOLDER = "lightning_logs"
FILE = "run.json"


def main(words: list[str]) -> None:
    """Run ``ppvd runs`` with the words after it.

    Raises:
        ValueError: If there is no run.
    """
    asked = _parser().parse_args(words)
    files = sorted(asked.folder.rglob(f"version_*/{FILE}"), key=lambda f: f.stat().st_mtime)
    if not files:
        raise ValueError(f"{asked.folder} must hold runs of ppvd fit, but there is none")
    for file in files:
        print("\n".join(_lines(file.parent, json.loads(file.read_text(encoding="utf-8")))))


def state_of(run: dict[str, Any]) -> str:
    """Return ``running``, ``finished``, ``failed``, ``stopped`` or ``killed``.

    A process of another machine cannot be looked for, and is believed to run.
    """
    state = str(run["state"])
    if state != "running" or run["host"] != platform.node():
        return state
    return state if _lives(int(run["process"])) else "killed"


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lines(folder: Path, run: dict[str, Any]) -> list[str]:
    state = state_of(run)
    lines = [f"{folder}  {state}{_progress(folder, run, state)}"]
    if run["reason"]:
        lines.append(f"  why: {run['reason']}")
    if state in ("failed", "killed", "stopped") and any(folder.glob("checkpoints/*.ckpt")):
        lines.append(f"  go on with: ppvd fit --ckpt_path {folder}")
    return lines


def _progress(folder: Path, run: dict[str, Any], state: str) -> str:
    """Say how far it came, from its checkpoints where it could not write it down itself."""
    step, best = int(run["step"]), ""
    if state in ("running", "killed"):
        from ppvd.cli.continuing import furthest

        found = furthest(folder)
        step = int(found.content["global_step"]) if found else 0
    metrics = {n: v for n, v in run["metrics"].items() if n.startswith("val/")}
    if metrics:
        name, value = next(iter(metrics.items()))
        best = f", {name} {value:.4g}"
    return f" at step {step}{best}"


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser("ppvd runs", description="List runs of ppvd fit, the newest last.")
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(LOG_FOLDER),
        help=f"where to look; default: {LOG_FOLDER}",
    )
    return parser
