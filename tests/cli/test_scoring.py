"""Verbs that do not train: untaught weights are said, and predictions are kept."""

from pathlib import Path

import pytest

RUN = "lightning_logs/toy/version_0"
SAID = "Toy has learned nothing: its weights are as drawn; give a run by --ckpt_path"


@pytest.mark.parametrize("verb", ["validate", "test", "predict"])
def test_weights_that_nothing_has_taught_are_said(verb, recipe, ppvd, capsys):
    ppvd(verb, "-c", recipe())
    assert SAID in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["validate", "test", "predict"])
def test_weights_of_a_run_need_no_word(verb, fitted, ppvd, capsys):
    ppvd(verb, "--ckpt_path", fitted())
    assert "learned nothing" not in capsys.readouterr().err


def test_predictions_are_kept_though_no_recipe_says_so(fitted, ppvd, capsys):
    ppvd("predict", "--ckpt_path", fitted())
    kept = Path("lightning_logs/toy/version_1/predictions")
    assert {path.name for path in kept.glob("*.npy")} == {"scene0_depth.npy", "scene1_depth.npy"}
    assert f"written to {kept}" in capsys.readouterr().out


def test_a_recipe_that_writes_predictions_is_left_to_it(recipe, ppvd, capsys):
    writer = {"class_path": "DepthWriter", "init_args": {"out_dir": "mine"}}
    ppvd("predict", "-c", recipe(callbacks=[writer]))
    assert Path("mine/scene0_depth.npy").exists()
    assert not list(Path("lightning_logs").rglob("*.npy"))
    assert capsys.readouterr().out.count("written to") == 1
