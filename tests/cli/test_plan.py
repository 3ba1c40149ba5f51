"""The plan of a recipe, and what is said when memory runs out."""

import pytest
import torch

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


def test_memory_that_runs_out_is_explained_by_the_plan(recipe, refused, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("ppvd.cli.lightning.LightningCLI._run_subcommand", full)
    code, sentence = refused("fit", "-c", recipe(model=MODEL, data=DATA))
    assert code == 1
    assert sentence.startswith("the device's memory is full; of 0.0 GiB planned, activations take")
    assert "checkpoint_blocks" in sentence


@pytest.mark.parametrize("words", [["test"], []])
def test_only_a_training_is_planned(words, refused):
    code, _ = refused("plan", *words)
    assert code == 2
