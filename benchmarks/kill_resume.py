"""Kill a training at random moments, start it again by the same words, and compare the end.

``python -m benchmarks.kill_resume --kills 20`` prints a row for one process with two workers and
one for two processes: a toy model on rendered shards, a checkpoint after each step. Samples,
losses, weights, averages, optimiser and schedule must be, bit for bit, those of a run left alone.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import socket
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
from lightning.pytorch import Callback

from ppvd.cli import main as ppvd
from ppvd.cli.lightning import prepare

prepare("fit")  # Processes forked from here need not import anything.

EVERY_STEP = {"filename": "{step}", "every_n_train_steps": 1, "monitor": "step", "mode": "max"}
ENCODER = {"width": 16, "depth": 1, "num_heads": 2, "patch": 8, "grid": 4}
NET = {"width": 16, "depth": 2, "num_heads": 2, "checkpoint_blocks": 1}
OPTIMIZER = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 1e-3, "fused": True}}


class Note(Callback):
    """Write a line for each step and rank: the step, the loss and the samples.

    Args:
        path: Of the file, which ends in the rank.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,  # noqa: ARG002
        outputs: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Write the step that has just been taken."""
        loss = float(outputs["loss"]).hex()
        line = {"step": trainer.global_step, "loss": loss, "keys": list(batch["key"])}
        with Path(f"{self.path}-{trainer.global_rank}").open("a") as file:
            file.write(json.dumps(line) + "\n")


def recipe(shards: Path, *, num_steps: int, num_workers: int, **trainer: object) -> dict[str, Any]:
    """Return a training that saves itself after each step and keeps the last two.

    Args:
        shards: Folder of the set to train on.
        num_steps: Length.
        num_workers: Reading processes.
        **trainer: More arguments of the trainer.
    """
    kept = {**EVERY_STEP, "save_top_k": 2}
    callbacks = [
        {"class_path": "ppvd.EMA", "init_args": {"decay": 0.9}},
        {"class_path": "ModelCheckpoint", "init_args": kept},
        {"class_path": "benchmarks.kill_resume.Note", "init_args": {"path": "steps"}},
    ]
    encoder = {"backbone": {"class_path": "ppvd.ViT", "init_args": ENCODER}}
    model = {
        "encoder": {"class_path": "ppvd.ViTEncoder", "init_args": encoder},
        "net": {"class_path": "ppvd.CascadeDiT", "init_args": NET},
        "optimizer": OPTIMIZER,
        "scheduler": {"class_path": "ppvd.WarmupCosine"},
    }
    data = {
        "train": {"a": {"manifest": str(shards)}},
        "size": [32, 32],
        "batch_size": 2,
        "samples_per_epoch": 20,
        "num_workers": num_workers,
        "shuffle_buffer": 4,
    }
    quiet = {"limit_val_batches": 0, "enable_progress_bar": False, "enable_model_summary": False}
    settings = {"accelerator": "cpu", "max_steps": num_steps, "callbacks": callbacks}
    return {
        "trainer": {**settings, **quiet, **trainer},
        "model": {"class_path": "ppvd.PPD", "init_args": model},
        "data": {"class_path": "ppvd.ShardDataModule", "init_args": data},
    }


class Run:
    """A training in a folder of its own, whose processes are forked from one that is ready.

    Args:
        folder: Where to; it is made.
        settings: The recipe.
        num_ranks: Training processes.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], *, num_ranks: int = 1) -> None:
        self.folder = folder
        self.num_ranks = num_ranks
        folder.mkdir()
        (folder / "run.yaml").write_text(yaml.safe_dump(settings))

    def start(self) -> list[ForkServerProcess]:
        """Start all processes."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        port = _free_port()
        ranks = range(self.num_ranks)
        processes = [context.Process(target=_train, args=(self.folder, r, port)) for r in ranks]
        for process in processes:
            process.start()
        return processes

    def finish(self) -> None:
        """Start it and wait for its end.

        Raises:
            RuntimeError: If it fails.
        """
        processes = self.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            raise RuntimeError((self.folder / "log").read_text()[-4000:])

    def kill(self, *, num_steps: int, wait_s: float) -> bool:
        """Start it and kill all its processes at some moment.

        Args:
            num_steps: Steps that it may take before.
            wait_s: Seconds that it may go on after that.

        Returns:
            Whether it had not come to its end before.
        """
        num_before = len(self.steps())
        processes = self.start()
        while processes[0].is_alive() and len(self.steps()) < num_before + num_steps:
            time.sleep(0.002)
        time.sleep(wait_s)
        lived = all(process.is_alive() for process in processes)
        for process in processes:
            _kill_group(process)
        return lived

    def steps(self, rank: int = 0) -> list[dict[str, Any]]:
        """Return what a rank has noted, whole lines alone."""
        file = self.folder / f"steps-{rank}"
        text = file.read_text() if file.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def num_cut_writings(self) -> int:
        """Return how many checkpoints lie there that were being written at a kill."""
        return len(list(self.folder.rglob(".*.ckpt.*")))

    def last(self) -> dict[str, Any]:
        """Return the furthest checkpoint of the newest run."""
        files = self.folder.glob("lightning_logs/run/version_*/checkpoints/*.ckpt")
        newest = max(files, key=lambda file: file.stat().st_mtime_ns)
        content: dict[str, Any] = torch.load(newest, weights_only=True)
        return content


def kill_often(run: Run, *, kills: int, chance: random.Random) -> int:
    """Kill a run so many times: a third while it begins, the others between and within steps.

    Args:
        run: Long enough for it.
        kills: How many.
        chance: Draws the moments.

    Returns:
        How many checkpoints were being written at a kill.

    Raises:
        RuntimeError: If it ends before.
    """
    num_cut = 0
    for _ in range(kills):
        num_steps = chance.randint(0, 2)
        wait_s = chance.uniform(0, 0.05 if num_steps else 1.0)
        if not run.kill(num_steps=num_steps, wait_s=wait_s):
            raise RuntimeError(f"ended early: {(run.folder / 'log').read_text()[-4000:]}")
        num_cut += run.num_cut_writings()
        for left in run.folder.rglob(".*.ckpt.*"):
            left.unlink()
    return num_cut


def unequal(whole: Run, killed: Run) -> list[str]:
    """Return what differs between a run and one that was killed: nothing, it is to be hoped."""
    found = []
    for rank in range(whole.num_ranks):
        expected = {line["step"]: line for line in whole.steps(rank)}
        taken = killed.steps(rank)
        found += [f"rank {rank}: {line}" for line in taken if line != expected.get(line["step"])]
        found += [f"no step {n}" for n in expected.keys() - {line["step"] for line in taken}]
    one, two = whole.last(), killed.last()
    for part in ("state_dict", "current_model_state", "optimizer_states", "lr_schedulers"):
        found += [part] * (not _same(one[part], two[part]))
    return found + ["global_step"] * (one["global_step"] != two["global_step"])


def _same(one: Any, two: Any) -> bool:  # noqa: ANN401
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(_same(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(map(_same, one, two))
    return bool(one == two)


def _train(folder: Path, rank: int, port: int) -> None:
    """Be one process of a training, and the leader of its workers."""
    os.setpgid(0, 0)
    multiprocessing.set_start_method("fork", force=True)  # Workers as in a run started by itself.
    os.chdir(folder)
    with Path("log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ |= {"LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    ppvd(["fit", "-c", "run.yaml", "--ckpt_path=last"])


def _kill_group(process: ForkServerProcess) -> None:
    assert process.pid is not None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # It leads no group yet.
        process.kill()
    process.join()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Case:
    """A way to train, and the trainer's arguments for it."""

    name: str
    num_ranks: int
    num_workers: int
    trainer: dict[str, object]


CASES = [
    Case(name="1 process x 2 workers", num_ranks=1, num_workers=2, trainer={}),
    Case(
        name="1 process x 2 workers, asynchronous",
        num_ranks=1,
        num_workers=2,
        trainer={"plugins": "ppvd.AsyncCheckpoints"},
    ),
    Case(
        name="2 ranks x 1 worker",
        num_ranks=2,
        num_workers=1,
        trainer={"devices": 2, "strategy": "ddp"},
    ),
]


def render(folder: Path) -> Path:
    """Render the set to train on, and return its folder."""
    size = ["--count", "12", "--size", "32", "48", "--samples-per-shard", "4"]
    ppvd(["shards", "build", "synthetic", "--out", str(folder), *size])
    return folder


def compare(case: Case, folder: Path, shards: Path, *, kills: int, seed: int) -> str:
    """Run a case left alone and killed, and return its row."""
    num_steps = 2 * kills + 10
    settings = recipe(shards, num_steps=num_steps, num_workers=case.num_workers, **case.trainer)
    folder.mkdir()
    whole = Run(folder / "whole", settings, num_ranks=case.num_ranks)
    killed = Run(folder / "killed", settings, num_ranks=case.num_ranks)
    whole.finish()
    num_cut = kill_often(killed, kills=kills, chance=random.Random(seed))
    killed.finish()
    twice = len(killed.steps()) - num_steps
    differing = unequal(whole, killed)
    return f"| {case.name} | {num_steps} | {kills} | {num_cut} | {twice} | {len(differing)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print("| run | steps | kills | while writing | steps taken twice | differences |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        shards = render(Path(folder) / "shards")
        for number, case in enumerate(CASES):
            place = Path(folder) / str(number)
            print(compare(case, place, shards, kills=asked.kills, seed=asked.seed), flush=True)


if __name__ == "__main__":
    main()
