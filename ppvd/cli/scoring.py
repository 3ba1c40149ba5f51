"""What the verbs that do not train look after: weights that were learned, predictions that stay."""

import lightning as L
from lightning.pytorch.callbacks import BasePredictionWriter

from ppvd.callbacks import DepthWriter


def drawn(model: L.LightningModule) -> str | None:
    """Return what to say of a model that would learn, but was given no weights.

    Args:
        model: Built without a checkpoint.

    Returns:
        A sentence; ``None`` for a model that has weights from elsewhere, or nothing to learn.
    """
    learns = any(parameter.requires_grad for parameter in model.parameters())
    if not learns or getattr(model, "initial_weights", None):
        return None
    return (
        f"{type(model).__name__} has learned nothing: its weights are as drawn; "
        f"give a run by --ckpt_path lightning_logs/NAME/version_N"
    )


def keep_predictions(trainer: L.Trainer) -> None:
    """Let predictions be written to the run's folder where nothing else writes them."""
    callbacks = _callbacks(trainer)
    if not any(isinstance(callback, BasePredictionWriter) for callback in callbacks):
        callbacks.append(DepthWriter())


def where(trainer: L.Trainer) -> list[str]:
    """Return a line for each folder that predictions were written to."""
    writers = [callback for callback in _callbacks(trainer) if isinstance(callback, DepthWriter)]
    return [f"written to {writer.folder}" for writer in writers]


def _callbacks(trainer: L.Trainer) -> list[L.Callback]:
    callbacks: list[L.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return callbacks
