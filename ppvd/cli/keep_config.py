"""The configuration of a run, kept in its folder."""

import lightning as L
from lightning.pytorch.cli import SaveConfigCallback

from ppvd.cli.mistakes import UsageError


class KeepConfig(SaveConfigCallback):
    """Saves the configuration in the run's folder; without a logger there is none."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Save ``config.yaml``; a folder that holds another run's is refused."""
        if not trainer.loggers:
            return
        try:
            super().setup(trainer, pl_module, stage)
        except RuntimeError as error:
            if "to NOT exist" not in str(error):
                raise
            raise UsageError(
                f"{trainer.log_dir} holds a run already; leave out the logger's version for a "
                f"new folder, or go on with that run: --ckpt_path {trainer.log_dir}"
            ) from error
