import pytest
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from ppvd.callbacks import HParams

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*many workers")


def test_settings_stand_beside_the_scores_that_checkpoints_are_kept_by(
    trainer, task, loader, tmp_path
):
    logger = TensorBoardLogger(tmp_path, name=None, default_hp_metric=False)
    kept = [ModelCheckpoint(monitor=m) for m in ("val/0/error", None)]
    trainer(
        max_epochs=1,
        logger=logger,
        callbacks=[HParams({"rate": 0.5, "net": "Conv"}), *kept],
        enable_checkpointing=True,
    ).fit(task, loader(), loader())
    logger.experiment.close()
    written = EventAccumulator(logger.log_dir)
    written.Reload()
    parts = {
        tag: HParamsPluginData.FromString(metadata.plugin_data.content)
        for tag, metadata in written.summary_metadata.items()
        if metadata.plugin_data.plugin_name == "hparams"
    }
    experiment = parts["_hparams_/experiment"].experiment
    assert [metric.name.tag for metric in experiment.metric_infos] == ["val/0/error", "train/loss"]
    settings = parts["_hparams_/session_start_info"].session_start_info.hparams
    assert settings["rate"].number_value == 0.5
    assert settings["net"].string_value == "Conv"
    errors = written.Scalars("val/0/error")
    assert [error.step for error in errors] == [1]  # No value is made up for step 0.
