"""Which file a path means, and what a checkpoint remembers."""

import os
from pathlib import Path

import pytest
import torch

from ppvd.cli.checkpoint import mismatch, read_checkpoint


def save(path, *, age=0, **content):
    """Write a checkpoint whose file is ``age`` seconds old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": {}, **content}, path)
    moment = 1_000_000_000 - age
    os.utime(path, (moment, moment))
    return path


def remembers(best, monitor="val/score"):
    return {"ModelCheckpoint": {"monitor": monitor, "best_model_path": f"/elsewhere/{best}"}}


def test_the_newest_run_of_an_experiment_is_meant_by_number(tmp_path):
    for number in (1, 9, 10):
        save(tmp_path / f"toy/version_{number}/checkpoints/a.ckpt", age=number)
    assert read_checkpoint(tmp_path / "toy").run.name == "version_10"


def test_a_run_without_checkpoints_is_passed_over(tmp_path):
    save(tmp_path / "toy/version_3/checkpoints/a.ckpt")
    (tmp_path / "toy/version_4").mkdir()
    assert read_checkpoint(tmp_path / "toy").run.name == "version_3"


def test_the_best_that_the_newest_remembers_is_meant(tmp_path):
    save(tmp_path / "a.ckpt", age=3, callbacks=remembers("a.ckpt"))
    save(tmp_path / "b.ckpt", age=2, callbacks=remembers("b.ckpt"))
    save(tmp_path / "last.ckpt", age=1, callbacks=remembers("b.ckpt"))
    found = read_checkpoint(tmp_path)
    assert (found.path.name, found.choice) == ("b.ckpt", " (best val/score)")


@pytest.mark.parametrize("callbacks", [{}, remembers("gone.ckpt"), remembers("a.ckpt", None)])
def test_without_a_best_the_last_is_meant(tmp_path, callbacks):
    save(tmp_path / "a.ckpt", age=3, callbacks=callbacks)
    save(tmp_path / "b.ckpt", age=2, callbacks=callbacks)
    found = read_checkpoint(tmp_path)
    assert (found.path.name, found.choice) == ("b.ckpt", " (last)")


@pytest.mark.parametrize(
    ("path", "run", "experiment"),
    [
        ("logs/toy/version_2/checkpoints/a.ckpt", "logs/toy/version_2", "toy"),
        ("kept/toy/a.ckpt", "kept/toy", "toy"),
    ],
)
def test_a_checkpoint_knows_its_run(tmp_path, path, run, experiment):
    found = read_checkpoint(save(tmp_path / path))
    assert (found.run, found.experiment) == (tmp_path / run, experiment)
    (found.run / "config.yaml").write_text("experiment: demo/mine")
    assert found.experiment == "demo/mine"


def test_the_model_is_remembered_as_a_recipe_would_say_it(tmp_path):
    settings = {"_class_path": "ppvd.PPD", "_instantiator": "any", "num_steps": 3}
    found = read_checkpoint(save(tmp_path / "a.ckpt", hyper_parameters=settings))
    assert found.model == {"class_path": "ppvd.PPD", "init_args": {"num_steps": 3}}
    assert read_checkpoint(save(tmp_path / "b.ckpt")).model == {}


def test_a_sharded_checkpoint_is_a_folder(tmp_path):
    settings = {"_class_path": "ppvd.PPD"}
    save(tmp_path / "run/checkpoints/a.ckpt/meta.pt", hyper_parameters=settings)
    found = read_checkpoint(tmp_path / "run/checkpoints/a.ckpt")
    assert found.path.is_dir()
    assert found.run == tmp_path / "run"
    assert found.model["class_path"] == "ppvd.PPD"


def test_a_mismatch_names_the_first_three_differences(tmp_path):
    stored = {"a": torch.zeros(2), "b": torch.zeros(3), "c": torch.zeros(1)}
    wanted = {"a": torch.zeros(4), "d": torch.zeros(1), "e": torch.zeros(1)}
    found = read_checkpoint(save(tmp_path / "a.ckpt", state_dict=stored))
    sentence = mismatch(found, wanted)
    assert "lacks d; lacks e; has b besides and 2 more" in sentence
    assert str(Path(found.run, "config.yaml")) in sentence
