import importlib.util
import shutil
import sys
import warnings
from pathlib import Path

import pytest
import yaml


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def toys():
    """The toy classes, importable by recipes as ``toy_tasks.<Name>``."""
    return sys.modules.get("toy_tasks") or _load("toy_tasks")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PPVD_DEBUG", raising=False)
    return tmp_path


collect_ignore = ["toy_tasks.py"]  # Its classes must exist once, or short names are ambiguous.

QUIET = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "log_every_n_steps": 1,
    "num_sanity_val_steps": 0,
    "max_epochs": 1,
}


@pytest.fixture
def recipe(here):
    """Writes a recipe; settings given replace those of a toy run."""

    def write(name="toy", *, model=None, data=None, **trainer):
        model = model or {"class_path": "Toy", "init_args": {"net": "ToyNet"}}
        data = data or {"class_path": "ToyData"}
        content = {"model": model, "data": data, "trainer": {**QUIET, **trainer}}
        file = here / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content))
        return file.name

    return write


@pytest.fixture
def ppvd(toys):
    """Runs ``main`` in this process and returns the model that it built."""
    from ppvd.cli import main

    def run(*words):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*dirpath has changed.*")
            warnings.filterwarnings("ignore", message="Checkpoint directory .* is not empty")
            main(list(words))
        return toys.SEEN[-1] if toys.SEEN else None

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Logs of finished runs, by the settings of their recipes."""
    return {}, tmp_path_factory.mktemp("finished")


@pytest.fixture
def fitted(recipe, ppvd, finished):
    """Leaves the run of a toy recipe behind; runs with equal settings are trained only once."""
    known, folder = finished

    def fit(**settings):
        file, key = recipe(**settings), repr(settings)
        if key not in known:
            ppvd("fit", "-c", file)
            known[key] = shutil.copytree("lightning_logs", folder / str(len(known)))
        else:
            shutil.copytree(known[key], "lightning_logs")
        return "lightning_logs/toy/version_0"

    return fit


@pytest.fixture
def refused(ppvd, capsys):
    """Runs ``main``, expects it to refuse, and returns its exit code and sentence."""

    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            ppvd(*words)
        _, _, said = capsys.readouterr().err.rpartition("ppvd: ")
        assert said.count("\n") == 1
        return leaving.value.code, said.strip()

    return run
