"""A sweep of real trainings, one of which is killed."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from ppvd.cli import main

SPACE = {"model.init_args.x": {"choices": [0.0, 2.0]}}
SWEEP = {"name": "bowl", "metric": "val/bowl", "sampler": "grid", "space": SPACE}
RECIPE = {
    "trainer": {
        "accelerator": "cpu",
        "max_epochs": 2,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "log_every_n_steps": 1,
        "callbacks": [
            {
                "class_path": "ModelCheckpoint",
                "init_args": {"filename": "{step}", "every_n_train_steps": 1, "save_top_k": -1},
            }
        ],
    },
    "model": {"class_path": "sweep_toys.Bowl"},
    "data": {"class_path": "sweep_toys.Nothing"},
}


@pytest.fixture
def start(tmp_path):
    (tmp_path / "bowl.yaml").write_text(yaml.safe_dump(RECIPE))
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({"sweep": SWEEP}))

    def start(*words):
        here = Path(__file__)
        toys = {"PYTHONPATH": f"{here.parents[2]}:{here.parent}", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "ppvd", "sweep", *words],
            cwd=tmp_path,
            env={**os.environ, **toys},
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def ended(process):
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return said


def checkpoints_gone_on_from(folder):
    files = folder.glob("lightning_logs/sweeps/bowl/*/*/config.yaml")
    found = (yaml.safe_load(file.read_text())["ckpt_path"] for file in files)
    return [path for path in found if str(path).endswith(".ckpt")]


@pytest.mark.slow
def test_a_trial_whose_process_is_killed_goes_on_from_its_checkpoint(start, tmp_path):
    words = ["-c", "bowl.yaml", "-c", "sweep.yaml", "--model.init_args.killed_once=killed"]
    said = ended(start(*words, "--jobs", "1"))
    assert re.search(r"trial \d: killed by signal 9, begun again", said)
    assert len(checkpoints_gone_on_from(tmp_path)) == 1
    assert "2 of 2 trials begun: 2 complete" in ended(start("status", "bowl"))


@pytest.mark.slow
def test_trials_of_a_worker_that_is_killed_go_on_with_the_next(start, tmp_path):
    words = ["-c", "bowl.yaml", "-c", "sweep.yaml", "--model.init_args.awaits=go"]
    worker = start(*words, "--jobs", "1")
    trial = tmp_path / "lightning_logs/sweeps/bowl"
    while not list(trial.glob("trial_*/version_*/waits")):
        assert worker.poll() is None
        time.sleep(0.05)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    (tmp_path / "go").touch()
    said = ended(start(*words, "--jobs", "2"))
    assert re.search(r"trial \d: val/bowl = 1\n", said)
    assert checkpoints_gone_on_from(tmp_path)
    told = ended(start("best", "bowl"))
    assert "model.init_args.x = 2.0" in told
    assert "2 of 2 trials begun: 2 complete" in ended(start("status", "bowl"))


@pytest.mark.slow
def test_a_sweep_that_is_asked_to_stop_saves_its_trials(start, tmp_path):
    words = ["-c", "bowl.yaml", "-c", "sweep.yaml", "--model.init_args.awaits=go"]
    worker = start(*words, "--jobs", "2")
    trials = tmp_path / "lightning_logs/sweeps/bowl"
    while len(list(trials.glob("trial_*/version_0/waits"))) < 2:
        assert worker.poll() is None
        time.sleep(0.05)
    worker.send_signal(signal.SIGUSR1)
    worker.communicate()
    assert worker.returncode == os.EX_TEMPFAIL
    saved = list(trials.glob("trial_*/version_0/checkpoints/stopped.ckpt"))
    assert len(saved) == 2
    told = ended(start("status", "bowl"))
    assert told.count("left by process") == 2
    (tmp_path / "go").touch()
    assert "= 1\n" in ended(start(*words, "--jobs", "2"))
    again = [yaml.safe_load(f.read_text()) for f in trials.glob("*/version_1/config.yaml")]
    assert len(again) == 2
    # Step 5's own checkpoint is as far: asked in step 3, told in step 4, and a validation after it.
    assert {Path(config["ckpt_path"]).name for config in again} <= {"stopped.ckpt", "step=5.ckpt"}


def test_submitted_workers_are_given_the_same_words(start, tmp_path, monkeypatch):
    program = tmp_path / "sbatch"
    program.write_text("#!/bin/sh\necho 17")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    words = ["-c", "bowl.yaml", "-c", "sweep.yaml", "--jobs", "2", "--trainer.max_epochs=1"]
    said = ended(start(*words, "--slurm", "3", "--sbatch=--gpus=1 --time=8:00:00"))
    assert said.startswith("job 17: 3 workers by ")
    script = (tmp_path / "lightning_logs/sweeps/bowl/workers.sbatch").read_text()
    assert script.endswith(f"-m ppvd sweep {' '.join(words)}\n")
    assert "#SBATCH --gpus=1\n#SBATCH --time=8:00:00\n" in script
    assert "bowl: 0 of 2 trials begun: none" in ended(start("status", "bowl"))


def test_a_dry_run_prints_the_commands(start):
    said = ended(
        start("-c", "bowl.yaml", "-c", "sweep.yaml", "--dry_run", "--trainer.max_epochs=1")
    )
    lines = said.splitlines()
    assert len(lines) == 2
    assert all(
        line.startswith("ppvd fit -c bowl.yaml --trainer.max_epochs=1 --model.init_args.x=")
        for line in lines
    )


def test_the_sweep_of_the_experiments_is_over_keys_that_there_are(capsys):
    experiments = Path(__file__).parents[2] / "experiments"
    recipe, sweep = experiments / "demo/ppd.yaml", experiments / "sweeps/lr.yaml"
    main(["sweep", "-c", str(recipe), "-c", str(sweep), "--dry_run"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    words = lines[0].split()[1:]
    with pytest.raises(SystemExit) as leaving:
        main([*words, "--print_config"])
    assert not leaving.value.code
    used = yaml.safe_load(capsys.readouterr().out)["model"]["init_args"]["optimizer"]["init_args"]
    assert 1e-4 <= used["lr"] <= 1e-2
    assert f"--model.init_args.optimizer.init_args.lr={used['lr']}" in words
