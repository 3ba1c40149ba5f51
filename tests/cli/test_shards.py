import subprocess
import sys

import pytest

from ppvd.cli import main as ppvd
from ppvd.data.manifest import Manifest


def main(words):
    ppvd(["shards", *words])


SMALL = ["--count", "4", "--size", "16", "24"]


def status(args):
    with pytest.raises(SystemExit) as stopped:
        main([str(arg) for arg in args])
    return stopped.value.code


def test_a_set_is_built_and_checked(tmp_path, capsys):
    out = tmp_path / "rooms"
    main(["build", "synthetic", "--out", str(out), *SMALL, "--split", "val", "--name", "rooms"])
    assert "4 samples in 1 shard," in capsys.readouterr().out
    manifest = Manifest.load(out)
    assert (manifest.name, manifest.split, manifest.num_samples) == ("rooms", "val", 4)
    main(["check", str(out)])
    assert "no faults" in capsys.readouterr().out


def test_clips_are_built_and_checked(tmp_path, capsys):
    args = ["build", "synthetic", "--out", tmp_path, "--count", "1", "--size", "16", "16"]
    main([str(arg) for arg in [*args, "--frames-per-clip", "2"]])
    main(["check", str(tmp_path)])
    assert "1 sample in 1 shard," in capsys.readouterr().out


def test_the_photograph_is_built(tmp_path, capsys):
    pytest.importorskip("skimage")
    main(["build", "middlebury", "--out", str(tmp_path)])
    assert Manifest.load(tmp_path).split == "test"
    assert "1 sample " in capsys.readouterr().out


def test_a_fault_is_listed_and_ends_with_1(tmp_path, capsys):
    main(["build", "synthetic", "--out", str(tmp_path), *SMALL])
    (shard,) = tmp_path.glob("*.tar")
    shard.write_bytes(shard.read_bytes()[:2048])
    assert status(["check", tmp_path]) == 1
    out = capsys.readouterr().out
    assert shard.name in out
    assert "2 faults" in out


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ([], 2, "required"),
        (["build", "nowhere"], 2, "invalid choice: 'nowhere'.*synthetic.*see: ppvd shards build"),
        (["build", "syntetic"], 2, r"'syntetic'.*; did you mean synthetic\?$"),
        (["bild"], 2, r"; did you mean build\?$"),
        (
            ["check", "x", "--rot", "y"],
            2,
            r"unrecognized arguments: --rot y; did you mean --root\?",
        ),
        (["build", "synthetic", "--out", "x", *SMALL, "--wor", "2"], 2, "unrecognized arguments"),
        (["build", "synthetic", "--count", "4", "--size", "8", "8"], 2, "--out"),
        (["build", "synthetic", "--out", "x", "--count", "0", "--size", "8", "8"], 2, "at least 1"),
        (["build", "synthetic", "--out", "x", "--count", "4", "--size", "8", "-8"], 2, "size"),
        (["build", "synthetic", "--out", "x", "--count", "four", "--size", "8", "8"], 2, "four"),
        (["build", "synthetic", "--out", "x", *SMALL, "--seed", "-1"], 1, "seed must not be neg"),
        (["build", "synthetic", "--out", "x", *SMALL, "--name", "A.B"], 1, "key .* got 'A.B'"),
        (["build", "synthetic", "--out", "x", *SMALL, "--split", "dev"], 2, "invalid choice"),
        (["check", "nowhere"], 1, "manifest nowhere must exist"),
    ],
)
def test_a_mistake_is_a_sentence(args, code, message, capsys, monkeypatch, tmp_path):
    import re

    monkeypatch.chdir(tmp_path)
    assert status(args) == code
    errors = capsys.readouterr().err
    assert re.search(message, errors)
    assert "Traceback" not in errors
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_named(tmp_path, capsys):
    (tmp_path / "x").write_bytes(b"")
    assert status(["build", "synthetic", "--out", tmp_path / "x", *SMALL]) == 1
    assert f"ppvd: {tmp_path}/x cannot be used" in capsys.readouterr().err


def test_another_set_in_the_folder_is_named(tmp_path, capsys):
    main(["build", "synthetic", "--out", str(tmp_path), *SMALL])
    assert status(["build", "synthetic", "--out", tmp_path, *SMALL, "--seed", "1"]) == 1
    assert "choose another folder" in capsys.readouterr().err


def test_help_needs_none_of_the_heavy_packages():
    code = (
        "import sys\nfrom ppvd.cli import main\n"
        "try: main(['shards', 'build', 'synthetic', '--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'cv2', 'lightning', 'webdataset'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--frames-per-clip" in done.stdout
