"""A sweep of the demo's model in small, by two workers of Slurm, one of whose nodes dies."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ppvd.cli import main

DEMO = Path(__file__).parents[2] / "experiments/demo/ppd.yaml"
NUM_STEPS, HALFWAY = 6, 3
ENCODER = {
    "class_path": "ppvd.ViTEncoder",
    "init_args": {
        "backbone": {
            "class_path": "ppvd.ViT",
            "init_args": {"width": 16, "depth": 1, "num_heads": 2, "patch": 8, "grid": 4},
        },
        "weights": None,
    },
}
EVERY_STEP = {"filename": "{step}", "every_n_train_steps": 1, "monitor": "step", "mode": "max"}
SMALL = {
    "trainer": {
        "accelerator": "cpu",
        "max_steps": NUM_STEPS,
        "val_check_interval": HALFWAY,
        "enable_progress_bar": False,
        "callbacks+": [
            {"class_path": "ModelCheckpoint", "init_args": {**EVERY_STEP, "save_top_k": 2}},
            {
                "class_path": "cluster_toys.AwaitFile",
                "init_args": {"path": "go", "step": HALFWAY + 1},
            },
        ],
    },
    "model": {
        "init_args": {
            "encoder": ENCODER,
            "net": {"init_args": {"width": 16, "depth": 2, "num_heads": 2}},
        }
    },
    "data": {
        "init_args": {
            "train": {"scenes": {"manifest": "shards"}},
            "val": {"scenes": {"manifest": "shards", "num_samples": 2}},
            "test": None,
            "size": [32, 32],
            "batch_size": 2,
            "num_workers": 0,
        }
    },
}
LR = "model.init_args.optimizer.init_args.lr"
SWEEP = {
    "name": "small",
    "metric": "val/scenes/abs_rel",
    "sampler": "grid",
    "space": {LR: {"choices": [1e-4, 3e-4, 1e-3, 3e-3]}},
}


@pytest.fixture
def ppvd(idle_cluster, tmp_path, monkeypatch):
    """Runs a command in a folder with shards and recipes, where Slurm is at hand."""
    monkeypatch.chdir(tmp_path)
    size = ["--count", "4", "--size", "32", "32"]
    main(["shards", "build", "synthetic", "--out", "shards", *size])
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL))
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({"sweep": SWEEP}))
    env = {
        **idle_cluster.env,
        "PYTHONPATH": str(Path(__file__).parent),
        "OMP_NUM_THREADS": "1",
    }

    def ppvd(*words):
        done = subprocess.run(
            [sys.executable, "-m", "ppvd", *words], env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ppvd


def runs(trial):
    return sorted(Path("lightning_logs/sweeps/small").glob(f"trial_{trial}/version_*"))


def went_on_from(run):
    return str(yaml.safe_load((run / "config.yaml").read_text())["ckpt_path"])


def said(cluster):
    logs = Path("lightning_logs/sweeps/small").glob("*.log")
    return "\n".join([cluster.logs(), *(f"{log}:\n{log.read_text()[-1500:]}" for log in logs)])


def test_a_sweep_on_slurm_survives_the_death_of_a_node(idle_cluster, ppvd):
    cluster = idle_cluster
    words = ["-c", str(DEMO), "-c", "small.yaml", "-c", "sweep.yaml"]
    told = ppvd("sweep", *words, "--slurm", "2", "--sbatch=--nodes=1 --exclusive --time=60")
    job = re.search(r"job (\d+): 2 workers", told)[1]
    halfway = f"checkpoints/step={HALFWAY}.ckpt"

    def both_are_halfway():
        assert cluster.run("squeue", "--noheader"), said(cluster)
        return all(run and (run[-1] / halfway).exists() for run in (runs(0), runs(1)))

    cluster.wait(both_are_halfway, "two trials halfway")
    told = ppvd("sweep", "status", "small")
    assert re.search(rf"trial 0: runs in job {job}_\d\.0 on ", told), told
    assert re.search(rf"trial 1: runs in job {job}_\d\.0 on ", told), told
    # Which of the workers is on which node is Slurm's choice.
    task = next(n for n in (1, 2) if cluster.job(f"{job}_{n}")["NodeList"] == "two")
    trial = int(re.search(rf"trial (\d): runs in job {job}_{task}\.0", told)[1])

    cluster.kill_node("two")
    Path("go").touch()
    cluster.wait(lambda: cluster.job(f"{job}_{task}")["Restarts"] == "1", "requeue by Slurm")
    cluster.start_node("two")
    done = "4 of 4 trials begun: 4 complete"
    cluster.wait(lambda: done in ppvd("sweep", "status", "small"), f"end:\n{said(cluster)}")

    first, *again = runs(trial)
    assert "ckpt" not in went_on_from(first)
    assert went_on_from(again[-1]).endswith(f"step={HALFWAY}.ckpt")
    assert all(len(runs(other)) == 1 for other in range(4) if other != trial)
    assert f"{LR} = " in ppvd("sweep", "best", "small")
    assert len(ppvd("sweep", "report", "small").splitlines()) == 6
    cluster.wait_until_idle()
