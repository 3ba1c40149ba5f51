"""Killed at any moment and started again by the same words, a run ends as if never killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from ppvd.cli import main
from tests.scale.quick_runs import QuickRun

pytestmark = pytest.mark.slow

NUM_STEPS = 48
WORDS = ["fit", "-c", "run.yaml", "--ckpt_path=last"]
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--max-restarts=1"]
TORCHRUN += ["--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0"]
EVERY_STEP = {"filename": "{step}", "every_n_train_steps": 1, "monitor": "step", "mode": "max"}
ENCODER = {"width": 16, "depth": 1, "num_heads": 2, "patch": 8, "grid": 4}
NET = {"width": 16, "depth": 2, "num_heads": 2, "checkpoint_blocks": 1}
OPTIMIZER = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 1e-3, "fused": True}}


def recipe(shards, *, num_workers, **trainer):
    return {
        "trainer": {
            "accelerator": "cpu",
            "max_steps": NUM_STEPS,
            "limit_val_batches": 0,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "callbacks": [
                {"class_path": "ppvd.EMA", "init_args": {"decay": 0.9}},
                {"class_path": "ModelCheckpoint", "init_args": {**EVERY_STEP, "save_top_k": 2}},
                {"class_path": "scale_toys.Note", "init_args": {"path": "steps"}},
            ],
            **trainer,
        },
        "model": {
            "class_path": "ppvd.PPD",
            "init_args": {
                "encoder": {
                    "class_path": "ppvd.ViTEncoder",
                    "init_args": {"backbone": {"class_path": "ppvd.ViT", "init_args": ENCODER}},
                },
                "net": {"class_path": "ppvd.CascadeDiT", "init_args": NET},
                "optimizer": OPTIMIZER,
                "scheduler": {"class_path": "ppvd.WarmupCosine"},
            },
        },
        "data": {
            "class_path": "ppvd.ShardDataModule",
            "init_args": {
                "train": {"a": {"manifest": str(shards)}},
                "size": [32, 32],
                "batch_size": 2,
                "samples_per_epoch": 20,
                "num_workers": num_workers,
                "shuffle_buffer": 4,
            },
        },
    }


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    size = ["--count", "12", "--size", "32", "48", "--samples-per-shard", "4"]
    main(["shards", "build", "synthetic", "--out", str(folder), *size])
    return folder


def start(folder, *words, launcher=()):
    """Start training, by a launcher such as ``torchrun`` or by itself."""
    with (folder / "log").open("a") as output:
        return subprocess.Popen(
            [sys.executable, *launcher, "-m", "ppvd", *WORDS, *words],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": f"{Path(__file__).parents[2]}:{Path(__file__).parent}",
                "OMP_NUM_THREADS": "1",
                # Between CPUs, restarted processes would look for each other in vain.
                "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def noted(folder, rank=0):
    file = folder / f"steps-{rank}"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def run_to_the_end(folder, *words):
    process = start(folder, *words)
    assert process.wait() == 0, (folder / "log").read_text()


def final(folder):
    file = max(
        folder.glob(f"lightning_logs/run/version_*/checkpoints/step={NUM_STEPS}.ckpt"),
        key=lambda path: path.stat().st_mtime,
    )
    return torch.load(file, weights_only=True)


def assert_same_state(one, two):
    """Compare weights, averages, optimiser and schedule, bit by bit."""
    for part in ("state_dict", "current_model_state"):
        assert one[part].keys() == two[part].keys()
        assert all(torch.equal(one[part][name], two[part][name]) for name in one[part])
    assert repr(one["optimizer_states"]) == repr(two["optimizer_states"])
    assert one["lr_schedulers"] == two["lr_schedulers"]
    assert one["global_step"] == two["global_step"] == NUM_STEPS


def prepare(tmp_path, shards, **options):
    """Two folders with one recipe: for a run that is left alone, and for one that is not."""
    folders = tmp_path / "whole", tmp_path / "killed"
    for folder in folders:
        folder.mkdir()
        (folder / "run.yaml").write_text(yaml.safe_dump(recipe(shards, **options)))
    return folders


def assert_same_steps(whole, killed, rank):
    """Compare samples and losses: those of a step that was taken twice are the same twice."""
    expected = {line["step"]: line for line in noted(whole, rank)}
    assert sorted(expected) == list(range(1, NUM_STEPS + 1))
    steps = noted(killed, rank)
    assert all(line == expected[line["step"]] for line in steps)
    assert {line["step"] for line in steps} == expected.keys()


@pytest.mark.parametrize(
    ("num_ranks", "num_kills", "options"),
    [
        (1, 12, {"num_workers": 2, "plugins": "ppvd.AsyncCheckpoints"}),
        (2, 8, {"num_workers": 1, "devices": 2, "strategy": "ddp"}),
    ],
    ids=["1x2", "2x1"],
)
def test_a_run_killed_at_any_moment_ends_as_an_uninterrupted_one(
    shards, tmp_path, num_ranks, num_kills, options
):
    chance = random.Random(num_ranks)
    whole, killed = prepare(tmp_path, shards, **options)
    assert QuickRun(whole, WORDS, num_ranks=num_ranks).wait() == [0] * num_ranks
    for _ in range(num_kills):
        run = QuickRun(killed, WORDS, num_ranks=num_ranks)
        num_more = len(noted(killed)) + chance.randint(0, 3)
        while run.runs() and len(noted(killed)) < num_more:
            time.sleep(0.01)
        time.sleep(0.1 * chance.random())
        assert run.kill(), (killed / "log").read_text()
    assert QuickRun(killed, WORDS, num_ranks=num_ranks).wait() == [0] * num_ranks
    for rank in range(num_ranks):
        assert_same_steps(whole, killed, rank)
    assert_same_state(final(whole), final(killed))


def ranks_of(launcher):
    """Process numbers of what a launcher has started, by rank."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    ranks = {}
    for child in children:
        words = Path(f"/proc/{child}/environ").read_bytes().decode().split("\0")
        ranks |= {int(word[5:]): int(child) for word in words if word.startswith("RANK=")}
    return ranks


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for the processes")
def test_processes_one_of_which_is_killed_start_again_by_themselves(shards, tmp_path):
    whole, killed = prepare(tmp_path, shards, num_workers=1, devices=2, strategy="ddp")
    run_to_the_end(whole)
    launcher = start(killed, launcher=TORCHRUN)
    while len(noted(killed, rank=1)) < 7:
        assert launcher.poll() is None, (killed / "log").read_text()
        time.sleep(0.01)
    os.kill(ranks_of(launcher)[1], signal.SIGKILL)
    assert launcher.wait() == 0, (killed / "log").read_text()
    for rank in range(2):
        assert_same_steps(whole, killed, rank)
    assert_same_state(final(whole), final(killed))


def test_a_run_killed_while_it_saves_goes_on_from_the_checkpoint_before(shards, tmp_path):
    whole, killed = prepare(tmp_path, shards, num_workers=0)
    run_to_the_end(whole)
    dying = '--trainer.plugins={"class_path": "scale_toys.DyingCheckpoints"}'
    assert start(killed, dying).wait() == -signal.SIGKILL
    checkpoints = killed / "lightning_logs/run/version_0/checkpoints"
    kept = {file.name for file in checkpoints.glob("*.ckpt")}
    assert kept == {"step=3.ckpt", "step=4.ckpt"}
    assert list(checkpoints.glob(".step=5.ckpt.*"))
    run_to_the_end(killed)
    assert [line["step"] for line in noted(killed)][:7] == [1, 2, 3, 4, 5, 5, 6]
    assert_same_state(final(whole), final(killed))
