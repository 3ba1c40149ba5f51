"""The options of ``ppvd shards build NAME`` are those of the reader's class."""

import argparse
from dataclasses import fields

import cv2
import numpy as np
import pytest

from ppvd.cli import main as ppvd
from ppvd.cli.source_options import add_options, build_source
from ppvd.data.manifest import Manifest
from ppvd.data.sources import DOWNLOADS, download


def main(words):
    ppvd(["shards", *words])


SIZE = (9, 12)


def write_png(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, array)[1].tobytes())


@pytest.fixture
def videos(tmp_path):
    """A download of PointOdyssey: two frames that can be read and one that cannot."""
    folder = tmp_path / "raw/train/dancing"
    for number in range(3):
        write_png(folder / f"rgbs/rgb_{number:05d}.jpg", np.full((*SIZE, 3), 90, np.uint8))
        write_png(folder / f"depths/depth_{number:05d}.png", np.full(SIZE, 200, np.uint16))
    poses = np.tile(np.eye(4), (2, 1, 1))
    intrinsics = np.tile(np.diag([9.0, 9, 1]), (2, 1, 1))
    np.savez(folder / "anno.npz", intrinsics=intrinsics, extrinsics=poses)
    return tmp_path / "raw"


@pytest.mark.parametrize("name", DOWNLOADS)
def test_every_option_of_every_reader_says_what_it_does(name):
    parser = argparse.ArgumentParser()
    source = download(name)
    add_options(parser, source)
    helps = {action.dest: action.help for action in parser._actions}
    assert all(helps[field.name] for field in fields(source))
    assert source.licence in parser.description
    assert source.dataset == name.lower()
    made = build_source(source, parser.parse_args(["--raw", "there"]))
    assert made.split in source.splits
    assert made.frame_bytes > 0


def test_a_download_is_built_and_what_is_left_out_is_said(videos, tmp_path, capsys):
    args = ["build", "pointodyssey", "--raw", str(videos), "--out", str(tmp_path / "out")]
    args += ["--leave-out", "ani*", "kg", "--zero-is-sky"]
    with pytest.raises(SystemExit):
        main(args)
    assert "at most 1.00% of the 3 samples may be left out, got 1" in capsys.readouterr().err
    main([*args, "--max-left-out", "0.5"])
    out = capsys.readouterr().out
    assert "2 samples in 1 shard," in out
    assert "left out pointodyssey/train/dancing/000002: anno.npz has no camera for frame 2" in out
    manifest = Manifest.load(tmp_path / "out")
    assert manifest.source["leave_out"] == ["ani*", "kg"]
    assert manifest.source["zero_is_sky"] is True
    main(["check", str(tmp_path / "out")])


def test_clips_and_limits_are_options(videos, tmp_path):
    args = ["build", "pointodyssey", "--raw", str(videos), "--clips", "--frames-per-clip", "2"]
    args += ["--limit", "1", "--out", str(tmp_path / "out"), "--workers", "1"]
    main(args)
    manifest = Manifest.load(tmp_path / "out")
    assert (manifest.num_samples, manifest.source["frames_per_clip"]) == (1, 2)


def test_a_long_report_is_cut_where_the_manifest_goes_on(videos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ppvd.cli.shards.MAX_LISTED", 0)
    args = ["build", "pointodyssey", "--raw", str(videos), "--out", str(tmp_path / "out")]
    main([*args, "--max-left-out", "0.5"])
    assert "left out 1 in all: the manifest lists them" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--out", "x"], 2, "--raw"),
        (["--raw", "nowhere", "--out", "x"], 1, "raw must be the folder of the downloaded data"),
        (["--raw", "nowhere", "--out", "x", "--split", "dev"], 2, "invalid choice: 'dev'"),
        (["--raw", "nowhere", "--out", "x", "--limit", "0"], 1, "limit must be at least 1"),
        (["--raw", "nowhere", "--out", "x", "--limit", "few"], 2, "invalid int value"),
    ],
)
def test_a_mistake_is_a_sentence(args, code, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["build", "pointodyssey", *args])
    assert stopped.value.code == code
    errors = capsys.readouterr().err
    assert message in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_the_page_of_a_reader_tells_what_the_set_is(capsys):
    with pytest.raises(SystemExit):
        main(["build", "hypersim", "--help"])
    page = capsys.readouterr().out
    assert "457 rendered rooms" in page
    assert "CC BY-SA 3.0" in page
    assert "--planar {exact,marigold}" in page
