"""What every training has and says when it begins."""

import shlex

import lightning as L
from jsonargparse import Namespace
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from ppvd.callbacks import BeginEpochs, RunState, SeedSteps
from ppvd.scale import StopOnSignal


def always(verb: str, words: list[str]) -> list[L.Callback]:
    """Return the callbacks that no recipe needs to name."""
    callbacks: list[L.Callback] = [SeedSteps()]
    if verb == "fit":
        callbacks += [BeginEpochs(), RunState(f"ppvd fit {shlex.join(words)}")]
    return callbacks


def saving(trainer: Namespace) -> list[L.Callback]:
    """Return what saves a training besides the checkpoints that its recipe names.

    Lightning adds a checkpoint of its own only where there is no other; a stop that saves is none.

    Args:
        trainer: The trainer's arguments, built.
    """
    if trainer.enable_checkpointing is False:
        return []
    is_named = any(isinstance(callback, Checkpoint) for callback in trainer.callbacks or [])
    return [StopOnSignal(), *([] if is_named else [ModelCheckpoint()])]


def say_where(trainer: L.Trainer, words: list[str]) -> None:
    """Print where a run's files go, which checkpoints are kept, and how it goes on."""
    kept = [c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint)]
    if not trainer.loggers or not kept:
        return
    monitors = dict.fromkeys(c.monitor or "the newest" for c in kept)
    again = shlex.join(without_checkpoint(words))
    print(
        f"run: {trainer.log_dir}\n"
        f"checkpoints by: {', '.join(monitors)}\n"
        f"after a crash: ppvd fit {again} --ckpt_path=last"
    )
    if isinstance(trainer.logger, TensorBoardLogger):
        print(f"to watch: tensorboard --logdir {trainer.logger.root_dir}")


def without_checkpoint(words: list[str]) -> list[str]:
    """Return the words that do not say from which checkpoint a run goes on."""
    kept = [word for word in words if not word.startswith("--ckpt_path=")]
    if "--ckpt_path" in kept:
        place = kept.index("--ckpt_path")
        del kept[place : place + 2]
    return kept
