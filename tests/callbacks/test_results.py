import hashlib
import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger

import ppvd
from ppvd.callbacks import ResultsWriter, provenance
from ppvd.callbacks.provenance import code_version, sha256
from ppvd.metrics import DepthErrors

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*many workers")


def read(path):
    return json.loads(path.read_text())


@pytest.fixture
def tested(trainer, task, loader, tmp_path, monkeypatch):
    """Results of a test with everything on its card."""
    monkeypatch.setenv("PL_GLOBAL_SEED", "42")
    task.errors = DepthErrors()
    saver = trainer(max_epochs=0)
    saver.strategy.connect(task)
    saver.save_checkpoint(tmp_path / "model.ckpt")
    folder = tmp_path / "run" / "version_0"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("model: tiny\n")
    loaders = {"rooms": loader(3), "streets": loader(2)}
    logger = TensorBoardLogger(tmp_path, name="run", version=0, default_hp_metric=False)
    built = trainer(logger=logger, callbacks=[ResultsWriter()])
    values = built.test(task, loaders, ckpt_path=tmp_path / "model.ckpt", verbose=False)
    return read(folder / "results.json"), values, tmp_path


def test_every_logged_value_is_there(tested):
    results, values, _ = tested
    merged = {name: value for one in values for name, value in one.items()}
    assert set(results["metrics"]) == {"test/0/error", "test/1/error"}
    assert results["metrics"] == pytest.approx(merged)


def test_card_names_files_by_their_hashes(tested):
    results, _, folder = tested
    for part, path in {
        "checkpoint": folder / "model.ckpt",
        "config": folder / "run" / "version_0" / "config.yaml",
    }.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert results[part] == {"path": str(path), "sha256": digest}


def test_card_says_how_it_was_measured(tested):
    results, _, _ = tested
    assert results["num_images"] == {"rooms": 3, "streets": 2}
    assert results["seed"] == 42
    assert results["sampling"] == {"num_steps": 3}
    assert results["model_metrics"]["errors"]["class"] == "DepthErrors"
    assert results["model_metrics"]["errors"]["alignment"]["space"] == "log"
    assert results["model_metrics"]["errors"]["min_pixels"] == 10
    assert results["hardware"]["cpus"] >= 1
    assert (results["precision"], results["device"]) == ("32-true", "cpu")
    assert results["task"] == "TinyTask"
    assert results["seconds"] > 0
    assert results["finished"].endswith("+00:00")
    assert results["versions"]["torch"] == torch.__version__


def test_validation_has_its_own_file_and_training_writes_none(trainer, task, loader, tmp_path):
    trainer(max_epochs=1, callbacks=[ResultsWriter()]).fit(task, loader(), loader())
    assert not list(tmp_path.glob("*.json"))
    built = trainer(callbacks=[ResultsWriter()])
    for _ in range(2):  # each counts anew
        built.validate(task, loader(), verbose=False)
    assert [file.name for file in tmp_path.iterdir()] == ["results_validate.json"]
    results = read(tmp_path / "results_validate.json")
    assert results["num_images"] == {"data": 4}
    assert results["checkpoint"] is None
    assert results["config"] is None


def test_value_that_is_no_number_is_null(trainer, task, loader, tmp_path):
    torch.nn.init.constant_(task.net.weight, torch.nan)
    trainer(callbacks=[ResultsWriter()]).test(task, loader(), verbose=False)
    assert read(tmp_path / "results.json")["metrics"] == {"test/0/error": None}


def test_solvers_and_grids_are_written_by_name(trainer, task, loader, tmp_path):
    task.solver, task.grid = torch.lerp, (1.0, 0.5, 0.0)
    trainer(callbacks=[ResultsWriter()]).test(task, loader(), verbose=False)
    sampling = read(tmp_path / "results.json")["sampling"]
    assert sampling == {"solver": "lerp", "grid": [1.0, 0.5, 0.0], "num_steps": 3}


def git(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)


def test_code_version_is_the_commit_and_sees_changes(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    clean = code_version(tmp_path)
    assert len(clean["commit"]) == 40
    assert clean["modified"] is False
    (tmp_path / "code.py").write_text("2\n")
    assert code_version(tmp_path) == clean | {"modified": True}


def test_code_outside_a_checkout_has_no_commit(tmp_path):
    assert code_version(tmp_path) | {"version": None} == {
        "version": None,
        "commit": None,
        "modified": None,
    }


def test_code_installed_below_another_repository_has_no_commit(tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "theirs")
    (tmp_path / "site-packages").mkdir()
    assert code_version(tmp_path / "site-packages")["commit"] is None


def test_changes_anywhere_in_the_package_count(monkeypatch):
    asked = []
    monkeypatch.setattr(provenance, "_git", lambda folder, *_: asked.append(folder) or "x")
    code_version()
    assert set(asked) == {Path(ppvd.__file__).parent}


def test_package_version_is_the_installed_one():
    assert code_version()["version"] == version("ppvd")


def test_sha256_of_a_known_text(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea")


def test_each_frame_of_a_clip_is_an_image():
    writer = ResultsWriter()
    for _ in range(2):
        writer._count({"depth": torch.zeros(3, 5, 1, 4, 4), "key": ["a", "b", "c"]}, 1)
    assert writer._images == {1: 2 * 3 * 5}
