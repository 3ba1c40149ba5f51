"""What watches every training without being named in its recipe."""

from collections.abc import Iterable, Mapping, Sequence

import lightning as L
from jsonargparse import Namespace
from lightning.pytorch.callbacks import LearningRateMonitor, ModelSummary, ProgressBar

from ppvd.callbacks import GradientNorms, HParams, LossBins, Throughput
from ppvd.callbacks.hparams import Setting
from ppvd.cli.progress import build_progress


def watching(
    trainer: Namespace, model: L.LightningModule, settings: Mapping[str, Setting]
) -> list[L.Callback]:
    """Return what is logged of every training, at the pace of ``trainer.log_every_n_steps``.

    The learning rate, the errors by time and source, the gradients by part, the pace, and the
    settings.

    Args:
        trainer: The trainer's arguments, built; without a logger nothing is logged.
        model: What is trained; only a generative task has errors by time.
        settings: The run's, in short names.
    """
    if not trainer.logger or trainer.log_every_n_steps == 0:
        return []
    has_velocity = "velocity" in getattr(model, "losses", ())
    return [
        LearningRateMonitor(logging_interval="step"),
        *([LossBins()] if has_velocity else []),
        GradientNorms(),
        Throughput(),
        HParams(settings),
    ]


def showing(trainer: Namespace) -> list[L.Callback]:
    """Return what is printed of a run; Lightning's own choice depends on what is installed.

    Args:
        trainer: The trainer's arguments, built.
    """
    progress = [] if trainer.enable_progress_bar is False else [build_progress()]
    summary = [] if trainer.enable_model_summary is False else [ModelSummary()]
    return [*progress, *summary]


def not_named(callbacks: Iterable[L.Callback], named: Sequence[L.Callback]) -> list[L.Callback]:
    """Return the callbacks for which a recipe has not named one of its own."""
    known = tuple(type(callback) for callback in named)
    if any(isinstance(callback, ProgressBar) for callback in named):
        known = (*known, ProgressBar)
    return [callback for callback in callbacks if not isinstance(callback, known)]
