"""Epochs that a continued run counts as an uninterrupted one would."""

from lightning.pytorch import Callback, LightningModule, Trainer


class BeginEpochs(Callback):
    """Begin the next epoch when a run goes on from a checkpoint of the last step of one.

    Lightning 2.6 goes on in the middle of that epoch, which is over: the epoch after it is never
    counted as begun and its hooks are not called. A checkpoint of the end of a later epoch then
    looks like one of its beginning, and a run that goes on from there takes that epoch once more.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget that an epoch was left in the middle, if it was whole."""
        loop = trainer.fit_loop
        num_begun, num_over = loop.epoch_progress.current.ready, trainer.current_epoch
        if loop.restarted_mid_epoch and num_begun == num_over:
            loop.reset_restart_stage()
