"""Two processes learn what one learns from the same samples, whichever way they share the work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from ppvd.cli import main

pytestmark = pytest.mark.slow

TWO = {"devices": 2}
FSDP2 = {"strategy": {"class_path": "ppvd.FSDP2"}}
RECIPE = {
    "trainer": {
        "accelerator": "cpu",
        "max_steps": 20,
        "limit_val_batches": 1,
        "num_sanity_val_steps": 0,
        "gradient_clip_val": 0.5,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "log_every_n_steps": 1,
        "callbacks": [
            {"class_path": "ppvd.EMA", "init_args": {"decay": 0.9}},
            {
                "class_path": "ModelCheckpoint",
                "init_args": {
                    "dirpath": "kept",
                    "filename": "{step}",
                    "every_n_train_steps": 10,
                    "save_top_k": -1,
                },
            },
            {"class_path": "scale_toys.Note", "init_args": {"path": "steps"}},
        ],
    },
    "model": {"class_path": "scale_toys.Scaled"},
    "data": {"class_path": "scale_toys.ScaledData"},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Trains in processes of its own, once for each setting; returns the folder of the run."""
    known = {}

    def run(*words, batch_size=4, **trainer):
        key = repr((words, batch_size, trainer))
        if key not in known:
            folder = known[key] = tmp_path_factory.mktemp("run")
            settings = {
                **RECIPE,
                "trainer": {**RECIPE["trainer"], **trainer},
                "data": {**RECIPE["data"], "init_args": {"batch_size": batch_size}},
            }
            (folder / "toy.yaml").write_text(yaml.safe_dump(settings))
            toys = {"PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"}
            subprocess.run(
                [sys.executable, "-m", "ppvd", "fit", "-c", "toy.yaml", *words],
                cwd=folder,
                env={**os.environ, **toys},
                check=True,
            )
        return known[key]

    return run


def losses(folder):
    lines = (folder / "steps-0").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def weights(folder, step=20):
    out = folder / f"{step}.safetensors"
    main(["weights", "export", str(folder / f"kept/step={step}.ckpt"), "--out", str(out)])
    return load_file(out)


def assert_same(folder, other, *, start=0):
    assert torch.tensor(losses(folder)).sub(torch.tensor(losses(other)[start:])).abs().max() < 1e-6
    one, two = weights(other), weights(folder)
    assert one.keys() == two.keys()
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-5


@pytest.mark.parametrize("strategy", [{"strategy": "ddp"}, FSDP2], ids=["ddp", "fsdp2"])
def test_two_processes_learn_what_one_learns(runs, strategy):
    one = runs()
    assert max(losses(one)) - min(losses(one)) > 0.1
    assert_same(runs(batch_size=2, **TWO, **strategy), one)


def test_what_two_processes_saved_one_process_continues(runs):
    two = runs(batch_size=2, **TWO, **FSDP2)
    half = two / "kept/step=10.ckpt"
    assert {"__0_0.distcp", "__1_0.distcp"} <= {file.name for file in half.iterdir()}
    assert_same(runs("--ckpt_path", str(half), **FSDP2), two, start=10)


def test_the_frozen_encoder_is_not_saved(runs):
    names = weights(runs(batch_size=2, **TWO, **FSDP2))
    assert names
    assert not [name for name in names if "encoder" in name]
