"""How often callbacks log."""

from lightning.pytorch import Trainer


def require_interval(every_n_steps: int | None) -> None:
    """Refuse an interval that is none.

    Raises:
        ValueError: If ``every_n_steps`` is not positive.
    """
    if every_n_steps is not None and every_n_steps < 1:
        raise ValueError(f"every_n_steps must be at least 1, got {every_n_steps}")


def interval(every_n_steps: int | None, trainer: Trainer) -> int:
    """Return a callback's own interval, else the trainer's."""
    if every_n_steps is not None:
        return every_n_steps
    own: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
    return own
