"""Runs say what becomes of them."""

import json
from pathlib import Path

RUN = Path("lightning_logs/toy/version_0")


def test_a_run_says_where_it_is_and_how_it_goes_on(recipe, ppvd, capsys):
    ppvd("fit", "-c", recipe(), "--trainer.max_steps", "1")
    said = capsys.readouterr().out
    assert f"run: {RUN}\n" in said
    assert "after a crash: ppvd fit -c toy.yaml --trainer.max_steps 1 --ckpt_path=last" in said
    assert "to watch: tensorboard --logdir lightning_logs/toy\n" in said


def test_a_finished_run_is_listed_with_its_score(fitted, ppvd, toys, capsys):
    toys.SCORES[:] = [0.25, 0.25]
    fitted(max_epochs=1)
    ppvd("runs")
    assert f"{RUN}  finished at step 2, val/score 0.25\n" in capsys.readouterr().out


def test_a_failed_run_tells_why_and_how_it_goes_on(recipe, refused, ppvd, capsys):
    model = {"class_path": "Toy", "init_args": {"net": "ToyNet", "nan_at": 3}}
    refused("fit", "-c", recipe(model=model, max_epochs=3))
    ppvd("runs", "lightning_logs/toy")
    said = capsys.readouterr().out
    assert f"{RUN}  failed at step 3" in said
    assert "why: train/loss must be finite" in said
    assert f"go on with: ppvd fit --ckpt_path {RUN}" in said


def test_a_killed_run_is_known_by_its_process(fitted, ppvd, capsys):
    fitted()
    content = json.loads((RUN / "run.json").read_text())
    gone = 2**22 + 1  # Above what Linux counts to.
    (RUN / "run.json").write_text(json.dumps({**content, "state": "running", "process": gone}))
    ppvd("runs")
    said = capsys.readouterr().out
    assert f"{RUN}  killed at step 2" in said
    assert f"go on with: ppvd fit --ckpt_path {RUN}" in said


def test_a_folder_without_runs_is_said_so(refused, here):
    code, sentence = refused("runs", str(here))
    assert (code, sentence) == (1, f"{here} must hold runs of ppvd fit, but there is none")
