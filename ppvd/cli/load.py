"""From a run's folder or a checkpoint to a model that can be asked for depth."""

import argparse
from pathlib import Path
from typing import Any

from lightning.pytorch.cli import instantiate_module

from ppvd.cli.checkpoint import Checkpoint, mismatch, read_checkpoint
from ppvd.cli.explain import explain
from ppvd.cli.layers import Config, Layer
from ppvd.cli.mistakes import UsageError
from ppvd.tasks import DepthTask

__all__ = ["load_task"]


def load_task(path: str | Path, **changes: object) -> DepthTask:
    """Build the model of a checkpoint as it was trained and load its weights.

    Nothing in the file is executed. A frozen encoder is not in the checkpoint; it reads its own
    weights from where its configuration says.

    Args:
        path: A checkpoint file, or a run's folder (its best checkpoint, else its last).
        **changes: Settings of the model that replace the remembered ones, such as
            ``num_steps=8``.

    Returns:
        The model on the CPU, in evaluation mode.

    Raises:
        ValueError: If there is no such checkpoint, or its model cannot be built or filled.
        OSError: If a file that the model reads, such as the encoder's weights, is gone.
    """
    checkpoint = read_checkpoint(path)
    model = checkpoint.model
    if not model:
        raise UsageError(f"{checkpoint.path} must remember its model, as checkpoints of `fit` do")
    try:
        return _load(checkpoint, changes).eval()
    except argparse.ArgumentError as error:
        config: Config = {"module": {**model, "init_args": {**model["init_args"], **changes}}}
        sources = [Layer(f"{model['class_path']} of {checkpoint.path}", config)]
        raise UsageError(explain(error, sources=sources, options=())) from error


def _load(checkpoint: Checkpoint, changes: dict[str, Any]) -> DepthTask:
    try:
        return DepthTask.load_from_checkpoint(
            checkpoint.path, map_location="cpu", weights_only=True, **changes
        )
    except RuntimeError as error:
        if not str(error).startswith("Error(s) in loading state_dict"):
            raise
        model = checkpoint.model
        config = {"_class_path": model["class_path"], **model["init_args"], **changes}
        wanted = instantiate_module(DepthTask, config)  # type: ignore[type-abstract]
        raise UsageError(mismatch(checkpoint, wanted.state_dict())) from error
