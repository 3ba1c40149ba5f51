"""Scoring saved predictions, and reporting what came out, from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from ppvd.cli import main
from ppvd.data import ShardDataModule, ShardSource


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    options = ["--count", "3", "--size", "32", "48", "--split", "test"]
    main(["shards", "build", "synthetic", "--out", str(folder), *options])
    return folder


@pytest.fixture
def bench(here, shards):
    """A benchmark of two data sets over the same shards."""
    content = {
        "protocols": {name: {"name": f"mine/{name}"} for name in ("rooms", "streets")},
        "data": {
            "class_path": "ppvd.ShardDataModule",
            "init_args": {
                "test": {name: {"manifest": str(shards)} for name in ("rooms", "streets")}
            },
        },
        "trainer": {
            "accelerator": "cpu",
            "enable_progress_bar": False,
            "callbacks": ["ppvd.ResultsWriter"],
        },
    }
    (here / "bench.yaml").write_text(yaml.safe_dump(content))
    return "bench.yaml"


@pytest.fixture
def predictions(here, shards):
    """Writes what a model would: a function of the true depth."""

    def write(name, function):
        loader = ShardDataModule(test={"x": ShardSource(manifest=str(shards))}).test_dataloader()
        for batch in loader["x"]:
            depth = batch["depth"][0, 0].numpy()
            sequence, number = batch["key"][0].split("/")[1:]
            file = here / name / sequence / f"pred_{number}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, function(np.where(depth > 0, depth, 100.0)).astype(np.float32))
        return name

    return write


def results(version=0, name="bench"):
    return json.loads(Path(f"lightning_logs/{name}/version_{version}/results.json").read_text())


def score(folder, bench, *words):
    main(["score", folder, "--benchmark", bench, "--format", "marigold", *words])


def test_perfect_predictions_score_perfectly_whatever_scale_shift_and_space(bench, predictions):
    score(predictions("affine", lambda depth: depth / 30 + 0.2), bench, "--only", "rooms")
    score(predictions("inverse", lambda depth: 2 / depth + 0.5), bench, "--unit", "disparity")
    assert results()["metrics"]["test/rooms/abs_rel"] < 1e-5
    assert list(results()["protocols"]) == ["rooms"]
    assert results()["protocols"]["rooms"]["used"]["alignment"]["space"] == "depth"
    second = results(1)
    assert list(second["protocols"]) == ["rooms", "streets"]
    assert second["metrics"]["test/streets/abs_rel"] < 1e-5
    assert second["protocols"]["rooms"]["used"]["alignment"]["space"] == "disparity"
    assert second["sampling"]["files"]["class"] == "MarigoldFiles"


def test_the_wrong_way_stops_with_a_sentence_and_no_results(bench, predictions, refused):
    folder = predictions("inverse", lambda depth: 2 / depth)
    words = ["score", folder, "--benchmark", bench, "--format", "marigold"]
    code, sentence = refused(*words)
    assert code == 1
    assert "predictions run the wrong way" in sentence
    assert sentence.endswith("say --unit disparity")
    assert not list(Path("lightning_logs").rglob("results.json"))
    _, sentence = refused(*words, "--unit", "metres")
    assert "run the wrong way" in sentence


def test_the_wrong_unit_stops_with_a_sentence(bench, predictions, refused):
    folder = predictions("steps", lambda depth: 1000 * depth)
    words = ["score", folder, "--benchmark", bench, "--format", "marigold", "--unit", "metres"]
    assert "about 1000 times the truth, which looks like millimetres" in refused(*words)[1]


def test_a_missing_prediction_is_named(bench, predictions, refused):
    folder = predictions("affine", lambda depth: depth)
    next(Path(folder).rglob("pred_000002.npy")).unlink()
    _, sentence = refused("score", folder, "--benchmark", bench, "--format", "marigold")
    assert sentence.endswith("a file for each sample, found none for synthetic/test-0/000002")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give either a folder of predictions or --model transformers:REPO"),
        (["x", "--model", "transformers:y"], "give either a folder"),
        (["x"], "--format must be one of marigold, moge, vda"),
        (["--model", "y"], "--model must be transformers:REPO, got y"),
        (["x", "--format", "npz", "--only", "rom"], "got rom; did you mean rooms?"),
    ],
)
def test_what_cannot_be_scored_is_said(bench, refused, words, said):
    code, sentence = refused("score", *words, "--benchmark", bench)
    assert code == 2
    assert said in sentence


def test_a_run_without_predictions_cannot_be_scored_again(here, refused):
    (here / "run").mkdir()
    code, sentence = refused("rescore", "run", "--protocols", "x.yaml")
    assert code == 2
    assert "run must hold config.yaml and predictions" in sentence


def test_results_are_reported_beside_each_other(bench, predictions, capsys, refused):
    score(predictions("a", lambda depth: depth**1.1), bench)
    score(predictions("b", lambda depth: depth**1.3), bench)
    capsys.readouterr()
    runs = ["lightning_logs/bench/version_0", "lightning_logs/bench/version_1"]
    main(["report", *runs, "--names", "mild", "strong", "--scores", "abs_rel"])
    said = capsys.readouterr().out
    assert "| mild (ours)" in said
    assert f"- mild, rooms: mine/rooms ({results()['protocols']['rooms']['hash']})" in said
    main(["report", "--compare", *runs, "--scores", "abs_rel"])
    assert "| rooms abs_rel |" in capsys.readouterr().out
    out = ["--format", "html", "--out", "out/report.html"]
    main(["report", *runs, "--paper", "table1", "table6", "--compare", *runs, *out])
    assert Path("out/report.html").read_text().count("<h2>") == 4
    assert "did you mean table1?" in refused("report", runs[0], "--paper", "table11")[1]
    assert refused("report", *runs, "--names", "x")[1].startswith("--names must be 2 names")
    assert refused("report")[1].startswith("give results")
