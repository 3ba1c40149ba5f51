"""``ppvd debug``: a bad training step once more."""

import argparse
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import yaml
from lightning.pytorch import Callback, Trainer

from ppvd.cli.mistakes import UsageError
from ppvd.cli.parser import VerbParser


def main(words: list[str]) -> None:
    """Run ``ppvd debug`` with the words after it.

    Raises:
        ValueError: If the step does not turn out bad again.
    """
    asked = _parser().parse_args(words)
    bad = _read(asked.file)
    recipe, start = _recipe(asked.file.parent, bad["step"])
    from ppvd.callbacks import BadStepError
    from ppvd.cli.lightning import run
    from ppvd.tasks import NonFiniteLossError

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "debug.yaml")
        file.write_text(yaml.safe_dump(recipe), encoding="utf-8")
        begin = ["--ckpt_path", str(start)] if start else []
        warnings.filterwarnings("ignore", "Be aware that when using `ckpt_path`, callbacks used")
        try:
            run("fit", ["-c", str(file), *begin])
        except (BadStepError, NonFiniteLossError) as error:
            again = str(error).partition("; ")[0]
            if f"step {bad['step']} " in again and all(key in again for key in bad["keys"]):
                print(f"again: {again}")
                return
            raise
    raise ValueError(
        f"step {bad['step']} must turn out bad again from {start or 'the start'}, but did not"
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        bad: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{file} must be a bad_step_N.json of a run: {error}") from error
    if not {"step", "keys"} <= bad.keys():
        raise UsageError(f"{file} must be a bad_step_N.json of a run, got keys {sorted(bad)}")
    return bad


def _recipe(run: Path, step: int) -> tuple[dict[str, Any], Path | None]:
    """Return the run's configuration, to end after ``step``, and the checkpoint before it."""
    from ppvd.cli.checkpoint import candidates, read_file

    config_file = run / "config.yaml"
    if not config_file.is_file():
        raise UsageError(f"{run} must hold the config.yaml of the run")
    config: dict[str, Any] = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    begun = config.pop("ckpt_path", None)
    trainer = config["trainer"]
    dropped = ("Checkpoint", "BadSteps", "SeedSteps")  # The last one is always there.
    kept = [c for c in trainer["callbacks"] or [] if not c["class_path"].endswith(dropped)]
    kept += [_stopping(trainer["callbacks"] or [])]
    kept += [{"class_path": "ppvd.cli.debug.EndAfter", "init_args": {"step": step}}]
    quiet = {"logger": False, "enable_checkpointing": False, "limit_val_batches": 0}
    config["trainer"] = trainer | quiet | {"callbacks": kept}
    earlier = [c for c in map(read_file, candidates(run)) if c.content["global_step"] <= step]
    if earlier:
        return config, max(earlier, key=lambda c: int(c.content["global_step"])).path
    return config, Path(begun) if begun and begun != "last" else None


def _stopping(callbacks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the run's own idea of a bad step, but with an end at the first one."""
    own = next((c for c in callbacks if c["class_path"].endswith("BadSteps")), {})
    settings = {**own.get("init_args", {}), "policy": "stop"}
    return {"class_path": "ppvd.BadSteps", "init_args": settings}


class EndAfter(Callback):
    """End a training after a step, with the schedule of the whole one.

    Args:
        step: The last step, counted from 0.
    """

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """End where it is time."""
        trainer.should_stop = trainer.global_step > self.step


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser("ppvd debug", description="Look at what went wrong in a training.")
    verbs = parser.add_subparsers(required=True, metavar="batch")
    batch = verbs.add_parser(
        "batch",
        help="take a bad step again",
        description="Take a bad step again: from the run's last checkpoint before it, up to it.",
    )
    batch.add_argument("file", type=Path, metavar="FILE", help="bad_step_N.json in a run's folder")
    return parser
