"""A run's folder becomes a model that can be asked for depth."""

from pathlib import Path

import pytest
import torch

import ppvd as package
from ppvd.cli.load import _found_again


@pytest.fixture
def run(fitted):
    part = {"class_path": "Part", "init_args": {"gain": 3.0}}
    init_args = {"net": {"class_path": "ToyNet", "init_args": {"width": 3}}, "part": part}
    return fitted(model={"class_path": "Toy", "init_args": init_args})


def test_a_run_is_loaded_as_it_was_trained(run, toys):
    task = package.load(run)
    (file,) = Path(run).glob("checkpoints/*.ckpt")
    stored = torch.load(file, weights_only=True)["state_dict"]
    assert type(task) is toys.Toy
    assert (task.net.width, task.part.gain, task.num_steps) == (3, 3.0, 4)
    assert all(torch.equal(value, stored[name]) for name, value in task.state_dict().items())
    assert not task.training


def test_settings_can_be_changed(run):
    assert package.load(Path(run), num_steps=7).num_steps == 7


def test_an_unknown_setting_is_answered_with_the_nearest(run):
    with pytest.raises(ValueError, match=r"num_step in toy_tasks.Toy of .*did you mean num_steps"):
        package.load(run, num_step=7)


def test_a_setting_that_does_not_fit_the_weights_is_refused(run):
    net = {"class_path": "ToyNet", "init_args": {"width": 5}}
    with pytest.raises(ValueError, match=r"net.weight is \(3, 3, 1, 1\), wanted \(5, 3, 1, 1\)"):
        package.load(run, net=net)


def test_a_file_that_the_model_needs_and_that_is_gone_is_named(run):
    part = {"class_path": "Needy", "init_args": {"path": "gone.safetensors"}}
    with pytest.raises(OSError, match=r"gone\.safetensors"):
        package.load(run, part=part)


def test_a_missing_run_is_named():
    with pytest.raises(ValueError, match="checkpoint nowhere/at/all does not exist"):
        package.load("nowhere/at/all")


def test_a_checkpoint_that_remembers_no_model_is_refused(run):
    (file,) = Path(run).glob("checkpoints/*.ckpt")
    torch.save({"state_dict": {}}, file)
    with pytest.raises(ValueError, match="must remember its model"):
        package.load(run)


def test_nothing_in_a_checkpoint_is_executed(run, tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    (file,) = Path(run).glob("checkpoints/*.ckpt")
    torch.save({**torch.load(file, weights_only=True), "trap": Trap()}, file)
    with pytest.raises(ValueError, match="cannot be read"):
        package.load(run)
    assert not (tmp_path / "executed").exists()


@pytest.mark.usefixtures("files")
def test_a_published_name_is_loaded_as_the_released_code_runs_it():
    assert isinstance(package.load("ppd-moge2", num_steps=2), package.PPD)
    assert isinstance(package.load("ppvd-pi3", pixels=32 * 32), package.PPVD)
    with pytest.raises(ValueError, match=r"PPD has no setting num_step; did you mean num_steps"):
        package.load("ppd-moge2", num_step=7)


def test_files_are_loaded_from_anywhere(files):
    encoder = files / "moge2.pt"
    task = package.load(files / "ppd_moge.pth", encoder=encoder)
    assert isinstance(task.encoder.encoder, package.MoGe2)


def test_weights_named_from_where_the_run_was_made_are_found_from_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "made/encoders").mkdir(parents=True)
    (tmp_path / "made/encoders/a.pt").touch()
    file = tmp_path / "made/runs/version_0/last.ckpt"
    settings = {"net": {"init_args": {"weights": "encoders/a.pt"}}, "weights": "b.pt"}
    monkeypatch.chdir(tmp_path / "made")
    assert _found_again(settings, file) == settings
    monkeypatch.chdir(tmp_path)
    found = _found_again(settings, file)
    assert found["net"]["init_args"]["weights"] == str(tmp_path / "made/encoders/a.pt")
    assert found["weights"] == "b.pt"
