"""What is logged and shown of a training without being asked for."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from lightning.pytorch.callbacks import ModelCheckpoint, ModelSummary, TQDMProgressBar

from ppvd.callbacks import Throughput
from ppvd.cli import progress
from ppvd.cli.progress import Lines
from ppvd.cli.settings import short_settings

RUN = Path("lightning_logs/toy/version_0")


def kinds(trainer):
    return [type(callback).__name__ for callback in trainer.callbacks]


def table(run=RUN):
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name for row in rows for name, value in row.items() if value}


def test_a_table_in_place_of_tensorboard_has_all_that_is_logged(recipe, ppvd):
    ppvd("fit", "-c", recipe(), "--trainer.logger=CSVLogger")
    assert {
        "train/error",
        "train/loss",
        "lr-AdamW",
        "speed/samples_per_second",
        "speed/tflops",
        "val/score",
    } <= table()
    assert (RUN / "config.yaml").is_file()


def test_a_service_that_has_no_folders_still_leaves_a_run_that_goes_on(recipe, ppvd, toys, capsys):
    file = recipe(logger={"class_path": "toy_tasks.Service"})
    ppvd("fit", "-c", file)
    assert {"config.yaml", "metrics.csv", "run.json", "checkpoints"} <= {
        path.name for path in RUN.iterdir()
    }
    assert {"train/loss", "speed/wait_share", "val/score"} <= toys.Service.seen
    capsys.readouterr()
    ppvd("fit", "-c", file, "--ckpt_path=last", "--trainer.max_epochs", "2")
    assert f"checkpoint: {RUN}" in capsys.readouterr().out
    again = yaml.safe_load(Path("lightning_logs/toy/version_1/config.yaml").read_text())
    assert again["trainer"]["logger"][1]["class_path"] == "toy_tasks.Service"


def test_what_a_recipe_names_is_there_once_and_its_own(recipe, ppvd):
    named = {"class_path": "ppvd.Throughput", "init_args": {"every_n_steps": 7}}
    trainer = ppvd("fit", "-c", recipe(callbacks=[named])).trainer
    (found,) = (callback for callback in trainer.callbacks if isinstance(callback, Throughput))
    assert found.every_n_steps == 7


def test_without_a_logger_nothing_watches(recipe, ppvd):
    trainer = ppvd("fit", "-c", recipe(logger=False, enable_checkpointing=False)).trainer
    assert not {"Throughput", "LearningRateMonitor", "HParams", "Lines"} & set(kinds(trainer))


def test_a_recipe_without_checkpoints_keeps_the_newest(recipe, ppvd):
    trainer = ppvd("fit", "-c", recipe()).trainer
    assert sum(type(callback) is ModelCheckpoint for callback in trainer.callbacks) == 1
    assert len(list(RUN.glob("checkpoints/*.ckpt"))) == 1


def test_a_pipe_gets_lines_and_a_terminal_a_bar(recipe, ppvd, capsys, monkeypatch):
    file = recipe(enable_progress_bar=True, enable_model_summary=True, num_sanity_val_steps=1)
    trainer = ppvd("fit", "-c", file).trainer
    assert "Lines" in kinds(trainer)
    assert any(type(callback) is ModelSummary for callback in trainer.callbacks)
    said = capsys.readouterr().out
    assert "step 1 of 2, epoch 0, train/loss " in said
    assert "step 2 of 2, epoch " in said
    assert "\r" not in said
    monkeypatch.setattr(progress.sys.stdout, "isatty", lambda: True, raising=False)
    bar = progress.build_progress()
    assert isinstance(bar, TQDMProgressBar)


def test_the_bar_looks_at_the_loss_once_a_second(monkeypatch):
    seen = []
    monkeypatch.setattr(
        TQDMProgressBar, "on_train_batch_end", lambda *arguments: seen.append(arguments[-1])
    )
    monkeypatch.setattr(progress.Bar, "total_train_batches", 7)
    now = iter([0.0, 0.4, 0.8, 1.2, 1.3, 1.4, 1.5])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(now))
    bar = progress.Bar()
    for index in range(7):
        bar.on_train_batch_end(None, None, None, None, index)
    assert seen == [0, 3, 6]


def test_lines_come_now_and_then(monkeypatch, capsys):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now.seconds)
    trainer = SimpleNamespace(
        global_step=0,
        estimated_stepping_batches=90,
        current_epoch=0,
        progress_bar_metrics={},
        callback_metrics={},
    )
    lines = Lines(seconds=10.0)
    lines.on_train_start(trainer, None)
    for step in range(1, 46):
        now.seconds, trainer.global_step = float(step), step
        lines.on_train_batch_end(trainer)
    lines.on_train_end(trainer, None)
    said = capsys.readouterr().out.splitlines()
    assert [int(line.split()[1]) for line in said] == [1, 11, 21, 31, 41, 45]
    assert said[-1] == "step 45 of 90, epoch 0, 1 steps/s, 0:00:45 left"


def test_lines_are_silent_where_another_process_speaks(capsys):
    lines = Lines()
    lines.disable()
    lines.on_validation_batch_end(None, None, None, None, 0)
    assert not capsys.readouterr().out


def test_settings_are_short_and_leave_out_defaults():
    config = {
        "model": {
            "class_path": "ppvd.PPD",
            "init_args": {
                "num_steps": 4,
                "pixels": 64,
                "seed": 0,
                "optimizer": {
                    "class_path": "torch.optim.AdamW",
                    "init_args": {"lr": 1e-3, "weight_decay": 0.01, "amsgrad": True},
                },
            },
        },
        "data": {"class_path": "ppvd.ShardDataModule", "init_args": {"val": {"a": 1}, "size": [4]}},
        "trainer": {"max_steps": 5, "callbacks": [{"class_path": "x"}], "logger": None},
    }
    options = ["--model.init_args.num_steps=4", "--trainer.max_steps", "5"]
    assert short_settings(config, options=options) == {
        "model": "PPD",
        "model.num_steps": 4,
        "model.pixels": 64,
        "model.optimizer": "AdamW",
        "model.optimizer.lr": 1e-3,
        "model.optimizer.amsgrad": "true",
        "data": "ShardDataModule",
        "data.size": "[4]",
        "trainer.max_steps": 5,
    }


@pytest.fixture(autouse=True)
def forget(toys):
    toys.Service.seen.clear()
