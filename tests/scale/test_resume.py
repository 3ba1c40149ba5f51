"""Killed at any moment and started again by the same words, a run ends as if never killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.kill_resume import Run, kill_often, recipe, unequal
from ppvd.cli import main

pytestmark = pytest.mark.slow

NUM_STEPS = 40
WORDS = ["-m", "ppvd", "fit", "-c", "run.yaml", "--ckpt_path=last"]
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--max-restarts=1"]
TORCHRUN += ["--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0"]
TWO_RANKS = {"num_workers": 1, "devices": 2, "strategy": "ddp"}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    size = ["--count", "12", "--size", "32", "48", "--samples-per-shard", "4"]
    main(["shards", "build", "synthetic", "--out", str(folder), *size])
    return folder


@pytest.fixture
def two_runs(shards, tmp_path):
    """Makes two runs of one recipe: one has been left alone, the other has not begun."""

    def make(*, num_ranks=1, **options):
        settings = recipe(shards, num_steps=NUM_STEPS, **options)
        names = ("whole", "killed")
        whole, killed = (Run(tmp_path / name, settings, num_ranks=num_ranks) for name in names)
        whole.finish()
        return whole, killed

    return make


def start(run, *words, launcher=()):
    """Start training in a process of its own, by a launcher such as ``torchrun`` or by itself."""
    root = Path(__file__).parents[2]
    with (run.folder / "log").open("a") as output:
        return subprocess.Popen(
            [sys.executable, *launcher, *WORDS, *words],
            cwd=run.folder,
            env={
                **os.environ,
                "PYTHONPATH": f"{root}:{Path(__file__).parent}",
                "OMP_NUM_THREADS": "1",
                # Between CPUs, restarted processes would look for each other in vain.
                "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@pytest.mark.parametrize(
    ("num_ranks", "kills", "options"),
    [(1, 12, {"num_workers": 2, "plugins": "ppvd.AsyncCheckpoints"}), (2, 8, TWO_RANKS)],
    ids=["1x2", "2x1"],
)
def test_a_run_killed_at_random_moments_ends_as_an_uninterrupted_one(
    two_runs, num_ranks, kills, options
):
    whole, killed = two_runs(num_ranks=num_ranks, **options)
    kill_often(killed, kills=kills, chance=random.Random(num_ranks))
    killed.finish()
    assert unequal(whole, killed) == []


def ranks_of(launcher):
    """Process numbers of what a launcher has started, by rank."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    ranks = {}
    for child in children:
        words = Path(f"/proc/{child}/environ").read_bytes().decode().split("\0")
        ranks |= {int(word[5:]): int(child) for word in words if word.startswith("RANK=")}
    return ranks


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc for the processes")
def test_processes_one_of_which_is_killed_start_again_by_themselves(two_runs):
    whole, killed = two_runs(num_ranks=2, **TWO_RANKS)
    launcher = start(killed, launcher=TORCHRUN)
    while len(killed.steps(rank=1)) < 7:
        assert launcher.poll() is None, (killed.folder / "log").read_text()
        time.sleep(0.01)
    os.kill(ranks_of(launcher)[1], signal.SIGKILL)
    assert launcher.wait() == 0, (killed.folder / "log").read_text()
    assert unequal(whole, killed) == []


def test_a_run_killed_while_it_saves_goes_on_from_the_checkpoint_before(two_runs):
    whole, killed = two_runs(num_workers=0)
    dying = '--trainer.plugins={"class_path": "scale_toys.DyingCheckpoints"}'
    assert start(killed, dying).wait() == -signal.SIGKILL
    checkpoints = killed.folder / "lightning_logs/run/version_0/checkpoints"
    kept = {file.name for file in checkpoints.glob("*.ckpt")}
    assert kept == {"step=3.ckpt", "step=4.ckpt"}
    assert list(checkpoints.glob(".step=5.ckpt.*"))
    killed.finish()
    assert [line["step"] for line in killed.steps()][:7] == [1, 2, 3, 4, 5, 5, 6]
    assert unequal(whole, killed) == []
