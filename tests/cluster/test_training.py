"""A training on two nodes of Slurm, stopped before its time is over, then bereft of a node."""

import json
import os
import sys
from pathlib import Path

import pytest
import torch
import yaml

from ppvd.cli import main

SCRIPT = Path(__file__).parents[2] / "experiments/hardware/slurm.sbatch"
NUM_STEPS, STOP, DEATH = 24, 7, 15
SIZE = ["--nodes=2", "--ntasks-per-node=1", "--gpus-per-node=0", "--cpus-per-task=1"]
RECIPE = {
    "trainer": {
        "accelerator": "cpu",
        "devices": 1,
        "num_nodes": 2,
        "strategy": "ddp",
        "max_steps": NUM_STEPS,
        "limit_val_batches": 0,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "callbacks": [
            {"class_path": "ppvd.EMA", "init_args": {"decay": 0.9}},
            {
                "class_path": "ModelCheckpoint",
                "init_args": {
                    "filename": "{step}",
                    "every_n_train_steps": 4,
                    "monitor": "step",
                    "mode": "max",
                    "save_top_k": 2,
                },
            },
            {"class_path": "cluster_toys.Note"},
        ],
    },
    "model": {
        "class_path": "ppvd.PPD",
        "init_args": {
            "encoder": {
                "class_path": "ppvd.ViTEncoder",
                "init_args": {
                    "backbone": {
                        "class_path": "ppvd.ViT",
                        "init_args": {
                            "width": 16,
                            "depth": 1,
                            "num_heads": 2,
                            "patch": 8,
                            "grid": 4,
                        },
                    }
                },
            },
            "net": {
                "class_path": "ppvd.CascadeDiT",
                "init_args": {"width": 16, "depth": 2, "num_heads": 2},
            },
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 1e-3}},
            "scheduler": {"class_path": "ppvd.WarmupCosine"},
        },
    },
    "data": {
        "class_path": "ppvd.ShardDataModule",
        "init_args": {
            "train": {"a": {"manifest": "shards"}},
            "size": [32, 32],
            "batch_size": 2,
            "samples_per_epoch": 20,
            "num_workers": 1,
            "shuffle_buffer": 4,
        },
    },
}
ACCIDENTS = {
    "trainer": {
        "callbacks+": [
            {"class_path": "cluster_toys.AwaitSignal", "init_args": {"step": STOP}},
            {"class_path": "cluster_toys.AwaitDeath", "init_args": {"step": DEATH}},
        ]
    }
}


@pytest.fixture
def submit(idle_cluster, tmp_path, monkeypatch):
    """Submits the job script of the experiments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    size = ["--count", "12", "--size", "32", "48", "--samples-per-shard", "4"]
    main(["shards", "build", "synthetic", "--out", "shards", *size])
    RECIPE["data"]["init_args"]["train"]["a"]["manifest"] = str(tmp_path / "shards")
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(RECIPE))
    (tmp_path / "accidents.yaml").write_text(yaml.safe_dump(ACCIDENTS))
    env = {
        **idle_cluster.env,
        "PATH": f"{Path(sys.executable).parent}:{idle_cluster.env['PATH']}",
        "PYTHONPATH": str(Path(__file__).parent),
        "OMP_NUM_THREADS": "1",
        # The nodes' names stand for no addresses.
        "MASTER_ADDR": "127.0.0.1",
        "GLOO_SOCKET_IFNAME": "lo",
    }

    def submit(folder, *words):
        folder.mkdir()
        output = idle_cluster.folder / f"{folder.name}.log"
        options = ["--time=60", "--signal=USR1@90", f"--output={output}"]
        own = {**env, "MASTER_PORT": str(idle_cluster.free_port())}  # Two jobs run at a time.
        said = idle_cluster.run(
            "sbatch", "--parsable", *SIZE, *options, str(SCRIPT), *words, cwd=folder, env=own
        )
        return said.strip()

    return submit


def noted(folder, rank=0):
    file = folder / f"steps-{rank}"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def final(folder):
    files = folder.glob(f"lightning_logs/run/version_*/checkpoints/step={NUM_STEPS}.ckpt")
    return torch.load(max(files, key=os.path.getmtime), weights_only=True)


def test_no_step_is_lost_or_doubled_by_the_limit_and_none_is_wrong_after_a_death(
    idle_cluster, submit, tmp_path
):
    cluster, whole, torn = idle_cluster, tmp_path / "whole", tmp_path / "torn"
    words = ["-c", "../run.yaml"]
    job_of_whole = submit(whole, *words)
    job = submit(torn, *words, "-c", "../accidents.yaml")
    cluster.wait(lambda: len(noted(torn)) == STOP, "step before the limit")
    cluster.end_soon(job)
    cluster.wait(lambda: cluster.job(job)["Restarts"] == "1", "requeue by the run")
    assert STOP <= noted(torn)[-1]["step"] < DEATH, cluster.logs()
    cluster.run("scontrol", "update", f"JobId={job}", "TimeLimit=60")

    cluster.wait(lambda: noted(torn)[-1]["step"] == DEATH, "step of the job started again")
    cluster.wait(lambda: cluster.job(job_of_whole)["JobState"] == "COMPLETED", "end of the other")
    for rank in range(2):
        assert [line["step"] for line in noted(torn, rank)] == list(range(1, DEATH + 1))
        assert noted(torn, rank) == noted(whole, rank)[:DEATH]
    cluster.kill_node("two")
    cluster.wait(lambda: cluster.job(job)["Restarts"] == "2", "requeue by Slurm")
    cluster.start_node("two")
    cluster.wait(lambda: cluster.job(job)["JobState"] == "COMPLETED", "end of the run")

    for rank in range(2):
        expected = {line["step"]: line for line in noted(whole, rank)}
        assert sorted(expected) == list(range(1, NUM_STEPS + 1))
        again = noted(torn, rank)[DEATH:]
        assert [line["step"] for line in again] == list(range(13, NUM_STEPS + 1))
        assert all(line == expected[line["step"]] for line in again)
    one, other = final(whole), final(torn)
    assert one["global_step"] == other["global_step"] == NUM_STEPS
    for part in ("state_dict", "current_model_state"):
        assert one[part].keys() == other[part].keys()
        assert all(torch.equal(one[part][name], other[part][name]) for name in one[part])
    assert repr(one["optimizer_states"]) == repr(other["optimizer_states"])
    assert one["lr_schedulers"] == other["lr_schedulers"]
