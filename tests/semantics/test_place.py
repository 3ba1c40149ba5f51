"""A recipe's file of weights is found from any folder, or missed in a sentence."""

import pytest
import torch
from torch import nn

from ppvd.semantics import load_strictly
from ppvd.semantics.place import located, weights_folder


def test_a_file_below_the_variable_is_read_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PPVD_WEIGHTS", str(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "kept/x.pth")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert located("$PPVD_WEIGHTS/x.pth") == tmp_path / "kept/x.pth"
    layer = nn.Linear(2, 2)
    load_strictly(layer, "$PPVD_WEIGHTS/x.pth")
    assert torch.equal(layer.weight, torch.load(tmp_path / "kept/x.pth")["weight"])


def test_without_the_variable_the_cache_of_downloads_is_meant(tmp_path, monkeypatch):
    monkeypatch.delenv("PPVD_WEIGHTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    weights_folder().mkdir(parents=True)
    (weights_folder() / "x.pth").touch()
    assert located("$PPVD_WEIGHTS/x.pth") == tmp_path / ".cache/ppvd/x.pth"


def test_other_paths_stay_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.pth").touch()
    for path in ("x.pth", str(tmp_path / "x.pth"), tmp_path / "x.pth"):
        assert located(path) == type(tmp_path)(path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("$PPVD_WEIGHTS/x.pth", "kept/x.pth, which is not there; `ppvd weights list` says"),
        ("runs/x.ckpt", "runs/x.ckpt, which is not in .*elsewhere$"),
        ("/nowhere/x.ckpt", "/nowhere/x.ckpt$"),
        ("..", r"\.\., which is none"),
        ("", "which is none"),
    ],
)
def test_a_file_that_is_not_there_is_a_sentence(path, said, tmp_path, monkeypatch):
    monkeypatch.setenv("PPVD_WEIGHTS", str(tmp_path / "kept"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=f"weights must name a file, got .*{said}"):
        located(path)
