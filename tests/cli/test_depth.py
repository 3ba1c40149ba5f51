"""``ppvd depth``: photographs in, files out, mistakes in one sentence."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ppvd.cli import depth

KINDS = ("_depth.npy", "_depth.png", "_preview.png", ".ply", ".json")


@pytest.fixture
def run(fitted):
    return fitted()


def photograph(path, height=10, width=14):
    path = Path(path)
    path.parent.mkdir(exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    cv2.imwrite(str(path), pixels)
    return str(path)


@pytest.fixture
def asked(toys, monkeypatch):
    """Records what the network is asked for: (pixels setting, image shape, keys)."""
    seen = []

    def predict(task, image, *, keys):
        seen.append((task.pixels, tuple(image.shape), keys))
        return torch.linspace(-0.5, 0.5, image.shape[-1]).expand(1, 1, *image.shape[-2:])

    monkeypatch.setattr(toys.Toy, "predict", predict)
    return seen


def test_photographs_become_files_at_their_own_size(run, ppvd, capsys):
    photograph("a/one.png")
    photograph("a/two.png", 8, 6)
    capsys.readouterr()
    ppvd("depth", "a", photograph("three.png"), "--model", run, "--out", "out")
    names = {path.name for path in Path("out").iterdir()}
    assert names == {stem + kind for stem in ("one", "two", "three") for kind in KINDS}
    assert np.load("out/two_depth.npy").shape == (8, 6)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"model: {run}/checkpoints/")
    assert said[-1] == "3 depth maps in out; look at out/one_preview.png and out/one.ply"


def test_near_and_far_are_the_metres_of_the_ends(run, ppvd, asked):
    words = ["--near", "2", "--far", "50"]
    ppvd("depth", photograph("a.png"), "--model", run, *words)
    metres = np.load("depth/a_depth.npy")
    assert metres.min() == pytest.approx(2.0, rel=1e-5)
    assert metres.max() == pytest.approx(50.0, rel=1e-5)
    assert asked[0][2] == ["a"]


def test_the_network_looks_at_the_area_asked_for(run, ppvd, asked):
    ppvd("depth", photograph("a.png"), "--model", run, "--pixels", "99")
    assert asked[0][0] == 99


def test_a_large_photograph_is_looked_at_smaller_and_a_small_one_as_it_is(
    run, ppvd, asked, monkeypatch
):
    monkeypatch.setattr(depth, "PIXELS", 200)
    photograph("a/large.png", 20, 30)
    photograph("a/small.png", 10, 14)
    ppvd("depth", "a", "--model", run)
    assert [pixels for pixels, _, _ in asked] == [200, None]
    assert [shape[-2:] for _, shape, _ in asked] == [(20, 30), (10, 14)]


def test_settings_of_the_model_are_changed(run, ppvd, asked, toys):
    ppvd("depth", photograph("a.png"), "--model", run, "--steps", "11")
    assert toys.SEEN[-1].num_steps == 11
    assert asked


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["gone.png"], 1, "photo or folder gone.png must exist: check the path"),
        (["empty"], 1, "folder empty must hold a photograph (.jpg"),
        (["text.png"], 1, "photo text.png must be a whole JPEG"),
        (["a.png", "--steps", "0"], 2, "argument --steps: must be a whole number from 1 on, got 0"),
        (["a.png", "--samples", "2"], 2, "--samples must be left out: toy_tasks.Toy has no"),
        (["a.png", "--noise", "still"], 2, "--noise must be left out: toy_tasks.Toy has no noise"),
        (["a.png", "--near", "5", "--far", "2"], 1, "near_m and far_m must satisfy 0 < near_m"),
        (["a.png", "--fov", "180"], 1, "field_of_view_deg must lie in (0, 180), got 180.0"),
        (["a.png", "--stpes=3"], 2, "unrecognized arguments: --stpes=3; did you mean --steps?"),
        (["a.png", "--device", "tpu"], 2, "argument --device: invalid choice: 'tpu'"),
        ([], 2, "the following arguments are required: PHOTO|FOLDER|CLIP|-|camera; see: ppvd"),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(words, code, sentence, run, refused):
    photograph("a.png")
    Path("empty").mkdir()
    Path("text.png").write_text("no picture")
    got = refused("depth", *words, "--model", run)
    assert got[0] == code
    assert got[1].startswith(sentence)
    assert not Path("depth").exists()


def test_a_missing_model_is_named(refused, here):
    photograph("a.png")
    assert refused("depth", "a.png", "--model", "gone") == (2, "checkpoint gone does not exist")
    assert not (here / "depth").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused(run, refused):
    code, sentence = refused("depth", photograph("a.png"), "--model", run, "--device", "cuda")
    assert (code, sentence) == (2, "--device must be cpu or auto here: there is no CUDA device")


def test_a_bad_photograph_leaves_what_was_written_whole(run, refused):
    photograph("a/one.png")
    Path("a/two.png").write_text("no picture")
    code, sentence = refused("depth", "a", "--model", run)
    assert code == 1
    assert sentence.startswith("photo a/two.png must be a whole")
    assert {path.name for path in Path("depth").iterdir()} == {f"one{kind}" for kind in KINDS}


def test_a_published_model_serves_by_its_name_its_file_and_as_imported(files, here, ppvd, capsys):
    photograph("a.png", 40, 50)
    ppvd("weights", "import", "weights/ppd_moge.pth", "--as", "ppd-moge2", "--out", "x.safetensors")
    small = ["--pixels", str(32 * 32), "--steps", "2", "--seed", "3"]
    maps = []
    for model in (["ppd-moge2"], ["weights/ppd_moge.pth"], ["x.safetensors"]):
        ppvd("depth", "a.png", "--model", *model, *small)
        assert "model: " in capsys.readouterr().out
        maps.append(np.load("depth/a_depth.npy"))
    assert maps[0].shape == (40, 50)
    assert (maps[0] == maps[1]).all()
    assert (maps[0] == maps[2]).all()
    (here / "mine.pth").write_bytes((files / "ppd_moge.pth").read_bytes())
    ppvd("depth", "a.png", "--model", "mine.pth", "--encoder", "weights/moge2.pt", *small)
    assert (np.load("depth/a_depth.npy") == maps[0]).all()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["ppd-moge"], 2, "model must be a run, a file or a published name, got ppd-moge; did you"),
        (["moge2-l"], 1, "moge2-l is an encoder; name a network: ppd-dav2"),
        (["mine.pth"], 1, "encoder must be given for mine.pth"),
        (["ppvd-pi3", "--samples", "2"], 2, "--samples must be left out: ppvd.PPVD has no num_sam"),
        (["ppd-moge2", "--encoder", "gone.pt"], 1, "weights must be a file or one of"),
    ],
)
def test_mistakes_with_published_models_are_one_sentence(
    words, code, sentence, files, here, refused
):
    photograph(here / "a.png")
    Path("mine.pth").write_bytes((files / "ppd_moge.pth").read_bytes())
    got = refused("depth", "a.png", "--model", *words)
    assert got[0] == code
    assert got[1].startswith(sentence)


def test_the_encoder_of_a_run_is_its_own(run, refused):
    got = refused("depth", photograph("a.png"), "--model", run, "--encoder", "x.pt")
    assert got == (2, f"encoder must be left out: {run} is a run, which names its own")
