"""A run that is asked to stop goes on with the very next step."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from ppvd.callbacks import Stopped
from ppvd.scale import StopOnSignal

NUM_STEPS, BATCHES = 15, 2
RECIPE = {
    "trainer": {
        "accelerator": "cpu",
        "max_steps": NUM_STEPS,
        "accumulate_grad_batches": BATCHES,
        "val_check_interval": 7,
        "check_val_every_n_epoch": None,
        "num_sanity_val_steps": 0,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "callbacks": [
            {"class_path": "ppvd.EMA", "init_args": {"decay": 0.9}},
            {"class_path": "scale_toys.Note", "init_args": {"path": "steps"}},
            {"class_path": "scale_toys.Slow"},
        ],
    },
    "model": {"class_path": "scale_toys.Scaled"},
    "data": {"class_path": "scale_toys.ScaledData"},
}


def steps(folder):
    file = folder / "steps-0"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["step"] for line in lines]


@pytest.fixture
def start(tmp_path):
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(RECIPE))
    scontrol = tmp_path / "scontrol"
    scontrol.write_text('#!/bin/sh\necho "$@" >> asked\n')
    scontrol.chmod(0o755)

    def start(folder, **job):
        folder.mkdir(exist_ok=True)
        env = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parent),
            "OMP_NUM_THREADS": "1",
            **job,
        }
        words = [sys.executable, "-m", "ppvd", "fit", "-c", "../run.yaml", "--ckpt_path=last"]
        return subprocess.Popen(words, cwd=folder, env={**os.environ, **env})

    return start


def stop_after(process, folder, num_steps):
    before = len(steps(folder))
    while process.poll() is None and len(steps(folder)) < before + num_steps:
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    return process.wait()


@pytest.mark.slow
def test_no_step_is_lost_or_doubled(start, tmp_path):
    run = tmp_path / "run"
    assert stop_after(start(run, SLURM_JOB_ID="7"), run, 3) == 0
    assert (run / "asked").read_text() == "requeue 7\n"
    assert stop_after(start(run), run, 5) == 75
    assert start(run).wait() == 0
    assert steps(run) == [n // BATCHES for n in range(1, NUM_STEPS * BATCHES + 1)]
    files = sorted(run.rglob("run.json"))
    states = [json.loads(file.read_text())["state"] for file in files]
    assert states == ["stopped", "stopped", "finished"]
    kept = {file.name for file in files[0].parent.glob("checkpoints/*")}
    assert kept == {"stopped.ckpt"}
    assert (run / "asked").read_text() == "requeue 7\n"


class Strategy:
    root_device = torch.device("cpu")


class Trainer:
    strategy, global_step = Strategy(), 4

    def __init__(self, folder, due=(), adding=()):
        self.log_dir, self.saved = str(folder), []
        due, adding = iter(due), iter(adding)
        loop = SimpleNamespace(_should_check_val_fx=lambda _: next(due, False))
        self.fit_loop = SimpleNamespace(
            epoch_loop=loop,
            _data_fetcher=object(),
            _should_accumulate=lambda: next(adding, False),
        )

    def save_checkpoint(self, path):
        self.saved.append(path)


def test_it_saves_in_the_folder_of_the_run_and_stops(tmp_path):
    trainer, callback = Trainer(tmp_path), StopOnSignal()
    callback.on_train_batch_end(trainer)
    callback._ask(signal.SIGUSR1, None)
    callback.on_train_batch_end(trainer)
    assert not trainer.saved
    with pytest.raises(Stopped, match="saved at step 4"):
        callback.on_train_batch_end(trainer)
    assert trainer.saved == [tmp_path / "checkpoints/stopped.ckpt"]


@pytest.mark.parametrize(
    ("due", "adding", "more"),
    [
        ([], [], 0),
        ([True], [], 1),
        ([True, True], [], 1),
        ([], [True, True], 2),
        ([True], [True], 2),
    ],
)
def test_a_validation_that_is_due_and_the_rest_of_a_step_come_first(tmp_path, due, adding, more):
    trainer, callback = Trainer(tmp_path, due, adding), StopOnSignal()
    callback._ask(signal.SIGUSR1, None)
    for _ in range(1 + more):
        callback.on_train_batch_end(trainer)
    assert not trainer.saved
    with pytest.raises(Stopped):
        callback.on_train_batch_end(trainer)
