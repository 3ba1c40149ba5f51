"""A job that Slurm is about to end goes on with the very next step."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from ppvd.scale import Requeue

NUM_STEPS = 30
RECIPE = {
    "trainer": {
        "accelerator": "cpu",
        "max_steps": NUM_STEPS,
        "limit_val_batches": 0,
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


@pytest.mark.slow
def test_no_step_is_lost_or_doubled(tmp_path):
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(RECIPE))
    scontrol = tmp_path / "scontrol"
    scontrol.write_text('#!/bin/sh\necho "$@" >> asked\n')
    scontrol.chmod(0o755)
    job = {
        "SLURM_JOB_ID": "7",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parent),
        "OMP_NUM_THREADS": "1",
    }
    words = [sys.executable, "-m", "ppvd", "fit", "-c", "run.yaml", "--ckpt_path=last"]
    with subprocess.Popen(words, cwd=tmp_path, env={**os.environ, **job}) as process:
        while process.poll() is None and len(steps(tmp_path)) < 3:
            time.sleep(0.01)
        process.send_signal(signal.SIGUSR1)
    assert process.returncode == 0
    assert (tmp_path / "asked").read_text() == "requeue 7\n"
    assert len(steps(tmp_path)) < NUM_STEPS
    subprocess.run(words, cwd=tmp_path, env={**os.environ, **job}, check=True)
    assert steps(tmp_path) == list(range(1, NUM_STEPS + 1))


def test_a_task_of_an_array_asks_for_itself(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(subprocess, "run", lambda words, check: asked.append(words))  # noqa: ARG005
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "5")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    monkeypatch.setenv("SLURM_JOB_ID", "8")

    class Strategy:
        def reduce_boolean_decision(self, decision, all):  # noqa: ARG002
            return decision

    class Trainer:
        strategy, log_dir, is_global_zero, should_stop = Strategy(), str(tmp_path), True, False

        def save_checkpoint(self, path):
            asked.append(path)

    trainer, callback = Trainer(), Requeue()
    callback.on_train_batch_end(trainer)
    assert not asked
    callback._ask(signal.SIGUSR1, None)
    callback.on_train_batch_end(trainer)
    assert asked == [tmp_path / "checkpoints/requeue.ckpt", ["scontrol", "requeue", "5_2"]]
    assert trainer.should_stop
