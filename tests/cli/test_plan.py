"""The plan of a recipe, and what is said when memory runs out."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor

from ppvd.tasks import PPD

SMALL = {"width": 16, "depth": 2, "num_heads": 2, "patch": 2}
MODEL = {
    "class_path": "PPD",
    "init_args": {
        "encoder": "NoSemantics",
        "net": {"class_path": "CascadeDiT", "init_args": SMALL},
    },
}
DATA = {
    "class_path": "ShardDataModule",
    "init_args": {
        "train": {"a": {"manifest": "not/there/yet"}},
        "size": [32, 48],
        "batch_size": 3,
    },
}


def test_a_plan_needs_no_data_and_no_device(recipe, ppvd, capsys):
    file = recipe(model=MODEL, data=DATA, accelerator="gpu", devices=8)
    ppvd("plan", "fit", "-c", file, "--memory", "1")
    said = capsys.readouterr().out
    assert "one step of 3 samples of 32 x 48 on one device:" in said
    assert "for less activations: more blocks in model.init_args.net.init_args.checkpoint" in said
    assert "samples fit into 1 GiB" in said


def test_an_override_changes_the_plan(recipe, ppvd, capsys):
    file = recipe(model=MODEL, data=DATA)
    ppvd("plan", "fit", "-c", file, "--data.init_args.batch_size", "5", "--memory", "0.001")
    said = capsys.readouterr().out
    assert "one step of 5 samples" in said
    assert "does not fit into 0.001 GiB" in said


def test_memory_that_runs_out_is_explained_by_the_plan(recipe, ppvd, refused, monkeypatch):
    ppvd("shards", "build", "synthetic", "--out", "set", "--count", "4", "--size", "32", "48")
    step = PPD.training_step

    def full(task, batch, batch_idx):
        if batch_idx == 1 and not isinstance(batch["image"], FakeTensor):  # Not in the plan itself.
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step(task, batch, batch_idx)

    monkeypatch.setattr(PPD, "training_step", full)
    data = {"train": {"a": {"manifest": "set"}}, "size": [32, 48], "batch_size": 2}
    file = recipe(model=MODEL, data={"class_path": "ShardDataModule", "init_args": data})
    code, sentence = refused("fit", "-c", file, "--trainer.limit_val_batches", "0")
    assert code == 1
    assert sentence.startswith("the device's memory is full; of 0.0 GiB planned, activations take")
    assert "checkpoint_blocks" in sentence


@pytest.mark.parametrize("words", [["test"], []])
def test_only_a_training_is_planned(words, refused):
    code, _ = refused("plan", *words)
    assert code == 2
