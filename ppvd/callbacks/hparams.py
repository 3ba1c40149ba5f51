"""The settings of a run beside its scores, for TensorBoard's page of hyper-parameters."""

from collections.abc import Mapping

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

Setting = float | int | str
LOSS = "train/loss"


class HParams(Callback):
    """Show a run on TensorBoard's page of hyper-parameters, beside others below the same folder.

    Its scores there are what its checkpoints are kept by, and the training loss; the page shows
    their newest values. Lightning's own way logs a made-up first value for each score.

    Args:
        settings: What is shown of the run, by name.
    """

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        self.settings = dict(settings)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the settings and the names of the scores."""
        if not trainer.is_global_zero:
            return
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                _write(logger.experiment, self.settings, monitored(trainer))


def monitored(trainer: Trainer) -> list[str]:
    """Return by which scores checkpoints are kept."""
    kept = (c.monitor for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint))
    return list(dict.fromkeys(name for name in kept if name and "/" in name))


def _write(writer: SummaryWriter, settings: dict[str, Setting], scores: list[str]) -> None:
    summaries = hparams(  # type: ignore[no-untyped-call]
        settings, dict.fromkeys([*scores, LOSS], 0.0)
    )
    for summary in summaries:
        writer._get_file_writer().add_summary(summary)  # type: ignore[no-untyped-call]
