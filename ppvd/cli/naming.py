"""Where the files of a run go: every run has a folder, whatever logs it."""

from pathlib import Path
from typing import Any

from jsonargparse import Namespace

LOG_FOLDER = "lightning_logs"
TENSORBOARD = "lightning.pytorch.loggers.TensorBoardLogger"
TABLE = "lightning.pytorch.loggers.CSVLogger"
LOGGER = {
    "class_path": TENSORBOARD,
    "init_args": {"save_dir": LOG_FOLDER, "name": None, "default_hp_metric": False},
}
"""What logs a run where nothing else is asked for."""


def name_loggers(trainer: Namespace, experiment: str) -> None:
    """Let the loggers of a trainer's configuration write below the experiment's folder.

    The first one gives a run its folder. Services such as W&B and MLflow give none, so a table
    in a folder goes before them: there ``ppvd`` keeps and finds checkpoints and configurations.

    Args:
        trainer: Configuration, changed in place.
        experiment: Name of the experiment.
    """
    if not trainer.logger or trainer.logger is True:
        return
    is_list = isinstance(trainer.logger, list)
    loggers = list(trainer.logger) if is_list else [trainer.logger]
    if loggers[0].class_path not in (TENSORBOARD, TABLE):
        loggers.insert(0, _table())
    for logger in loggers:
        if logger.class_path in (TENSORBOARD, TABLE):
            _name(logger.init_args, experiment, trainer.default_root_dir)
    trainer.logger = loggers if is_list or len(loggers) > 1 else loggers[0]


def _table() -> Namespace:
    table = Namespace()  # type: ignore[no-untyped-call]
    table.class_path = TABLE
    table.init_args = Namespace()  # type: ignore[no-untyped-call]
    settings = {"save_dir": LOG_FOLDER, "name": None, "version": None, "prefix": ""}
    for name, value in {**settings, "flush_logs_every_n_steps": 100}.items():
        table.init_args[name] = value
    return table


def _name(arguments: Namespace, experiment: str, root: Any) -> None:  # noqa: ANN401
    if arguments.name in (None, LOG_FOLDER):  # The second is Lightning's default.
        arguments.name = experiment
    if root and arguments.save_dir == LOG_FOLDER:
        arguments.save_dir = str(Path(root) / LOG_FOLDER)
