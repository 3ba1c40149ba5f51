"""From a run's folder or a checkpoint to a model that can be asked for depth."""

from pathlib import Path

from jsonargparse import ArgumentError, ArgumentParser

from ppvd.cli.checkpoint import Checkpoint, mismatch, read_checkpoint
from ppvd.cli.explain import explain, unwrapped
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
    if not checkpoint.model:
        raise UsageError(f"{checkpoint.path} must remember its model, as checkpoints of `fit` do")
    task = _build(checkpoint, changes)
    task.on_load_checkpoint(dict(checkpoint.content))
    try:
        task.load_state_dict(checkpoint.content["state_dict"])
    except RuntimeError as error:
        raise UsageError(mismatch(checkpoint, task.state_dict())) from error
    return task.eval()


def _build(checkpoint: Checkpoint, changes: dict[str, object]) -> DepthTask:
    init_args = {**checkpoint.model["init_args"], **changes}
    config: Config = {"model": {**checkpoint.model, "init_args": init_args}}
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(DepthTask, "model")
    try:
        task: DepthTask = parser.instantiate_classes(parser.parse_object(config)).model
    except ArgumentError as error:
        sources = [Layer(f"{checkpoint.model['class_path']} of {checkpoint.path}", config)]
        raise UsageError(explain(error, sources=sources, options=())) from error
    except ValueError as error:
        raise unwrapped(error) from error
    return task
