import io
import json
import os
import resource
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from ppvd.data.build import build_shards, default_samples_per_shard
from ppvd.data.errors import ShardError
from ppvd.data.manifest import Manifest
from ppvd.data.produce import produce
from ppvd.data.sources.rendered import RenderedScenes


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_manifest_says_what_is_there(build):
    folder = build(count=10, shard=4)
    manifest = Manifest.load(folder)
    assert sorted(contents(folder)) == [
        "manifest.json",
        "toys-train-000000.tar",
        "toys-train-000001.tar",
        "toys-train-000002.tar",
    ]
    assert [shard.num_samples for shard in manifest.shards] == [4, 4, 2]
    for shard in manifest.shards:
        assert (folder / shard.file).stat().st_size == shard.bytes
        with tarfile.open(folder / shard.file) as tar:
            assert len(tar.getnames()) == 3 * shard.num_samples
            assert {member.mtime for member in tar} == {0}
    assert (manifest.name, manifest.dataset, manifest.split) == ("toys", "toys", "train")
    assert manifest.source == {"count": 10, "prefix": "toy", "samples_per_shard": 4}
    assert json.loads((folder / "manifest.json").read_text())["num_samples"] == 10


def test_the_same_arguments_give_the_same_bytes(build):
    assert contents(build("a")) == contents(build("b"))
    assert contents(build("a")) != contents(build("c", prefix="other"))


def test_processes_make_the_same_bytes_as_one():
    """Rendered scenes, because spawned processes must be able to import the source."""
    source = RenderedScenes(count=5, size=(16, 24))
    one = list(produce(source, range(5), split="train", num_workers=1))
    two = list(produce(source, range(5), split="train", num_workers=2))
    assert one == two
    assert [sample.key for sample in one] == [f"synthetic/train-0/{n:06d}" for n in range(5)]


def test_an_interrupted_build_goes_on_where_it_stopped(build, toys, tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        build("set", stop_at=9)
    held = contents(tmp_path / "set")
    assert sorted(held) == ["toys-train-000000.tar", "toys-train-000001.tar", "unfinished.json"]
    made = []
    original = toys.sample
    monkeypatch.setattr(toys, "sample", lambda self, i: made.append(i) or original(self, i))
    folder = build("set")
    assert made == [8, 9]
    assert contents(folder) == contents(build("whole"))


def test_a_finished_set_is_left_as_it_is(build, toys, monkeypatch):
    before = contents(build())
    monkeypatch.setattr(toys, "sample", None)
    assert contents(build()) == before


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped"])
def test_a_damaged_shard_is_made_again(build, damage):
    folder = build()
    before = contents(folder)
    victim = folder / "toys-train-000001.tar"
    whole = bytearray(victim.read_bytes())
    if damage == "missing":
        victim.unlink()
    elif damage == "cut":
        victim.write_bytes(whole[:1024])
    else:
        whole[700] ^= 1
        victim.write_bytes(whole)
    build()
    assert contents(folder) == before


def test_another_set_is_not_overwritten(build):
    folder = build()
    before = contents(folder)
    with pytest.raises(ShardError, match=r"out .*/set must be empty or hold the same set, .*count"):
        build(count=11)
    with pytest.raises(ShardError, match=r"split train \(wanted val\): choose another folder"):
        build(split="val")
    assert contents(folder) == before


def test_left_over_parts_are_swept_away(build, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "toys-train-000000.tar.123.part").write_bytes(b"half")
    assert not [name for name in contents(build()) if name.endswith(".part")]


def test_a_full_disk_leaves_nothing_half_written(build, tmp_path, monkeypatch):
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 3:  # the second shard; the second call was the first shard's journal
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        build()
    held = contents(tmp_path / "set")
    assert sorted(held) == ["toys-train-000000.tar", "unfinished.json"]
    monkeypatch.setattr("os.fsync", real)
    assert len(contents(build())) == 4


def test_a_shard_gets_its_name_by_renaming_alone(build, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="Input/output"):
        build()
    assert not list((tmp_path / "set").iterdir())


def test_unfit_samples_are_left_out_with_their_reason(toys, tmp_path):
    source = toys(count=10, unfit=(3, 4))
    for _ in range(2):
        with pytest.raises(
            ShardError, match=r"1\.00% of the 10 .* got 2 \(toys\[3\]: unfit for te"
        ):
            build_shards(source, tmp_path, name="toys", split="train", samples_per_shard=4)
        assert not (tmp_path / "manifest.json").exists()
    manifest = build_shards(
        source, tmp_path, name="toys", split="train", samples_per_shard=4, max_left_out=0.5
    )
    assert [shard.num_samples for shard in manifest.shards] == [3, 3, 2]
    assert [(item.key, item.reason) for item in manifest.left_out] == [
        ("toys[3]", "unfit for tests"),
        ("toys[4]", "unfit for tests"),
    ]
    assert Manifest.load(tmp_path) == manifest


def test_a_set_of_nothing_is_no_set(toys, tmp_path):
    with pytest.raises(ShardError, match="may be left out, got 3"):
        build_shards(
            toys(count=3, unfit=(0, 1, 2)), tmp_path, name="a", split="train", max_left_out=1.0
        )
    assert not list(tmp_path.iterdir())


def test_training_samples_need_depth_and_tests_do_not(toys):
    class Sky(toys):
        def sample(self, index):
            made = super().sample(index)
            made.frames[0].depth[:] = 0
            made.frames[0].valid[:] = False
            return made

    kinds = [
        type(next(produce(Sky(count=1), [0], split=split, num_workers=1))).__name__
        for split in ("train", "val")
    ]
    assert kinds == ["LeftOut", "Produced"]


def test_progress_counts_every_sample_once(toys, tmp_path):
    for _ in range(2):
        steps = []
        build_shards(toys(count=7), tmp_path, name="a", split="val", advance=steps.append)
        assert sum(steps) == 7


@pytest.mark.parametrize(
    ("num_samples", "sample_bytes", "expected"),
    [(10, 1000, 32), (3000, 16_384, 188), (54_000, 750_000, 357), (100, 10**9, 1)],
)
def test_shards_are_about_256_megabytes_and_never_few(num_samples, sample_bytes, expected):
    assert default_samples_per_shard(num_samples, sample_bytes) == expected


CALL = "import sys; from ppvd.cli import main; main(['shards', *sys.argv[1:]])"
BUILD = ["build", "synthetic", "--count", "300", "--size", "64", "64"]
BUILD += ["--samples-per-shard", "10", "--out"]


def command(out, *options, limit_bytes=None):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    return subprocess.Popen(
        [sys.executable, "-c", CALL, *BUILD, str(out), *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=limit if limit_bytes else None,
    )


def descendants(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children]


def alive(pid):
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "zombie" not in status.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
def test_a_killed_build_leaves_whole_shards_under_final_names(tmp_path):
    out = tmp_path / "set"
    process = command(out, "--workers", "2")
    deadline = time.monotonic() + 600
    while not (out / "unfinished.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = descendants(process.pid)
    process.kill()
    process.wait()
    try:
        while any(map(alive, workers)):
            assert time.monotonic() < deadline, "workers must end with their parent"
            time.sleep(0.02)
    finally:
        for worker in filter(alive, workers):
            os.kill(worker, signal.SIGKILL)
        process.communicate()
    assert not (out / "manifest.json").exists()
    journal = Manifest.load(out / "unfinished.json")
    names = {path.name for path in out.iterdir()}
    assert 1 <= len(journal.shards) < 30
    assert {shard.file for shard in journal.shards} <= names
    for path in out.glob("*.tar"):
        with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as tar:
            assert len(tar.getnames()) == 30


def test_a_file_that_cannot_grow_ends_the_build_with_a_sentence(tmp_path):
    out = tmp_path / "set"
    process = command(out, limit_bytes=20_000)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 1
    assert f"ppvd: {out} cannot be used: File too large".encode() in errors
    assert b"Traceback" not in errors
    assert not list(out.iterdir())
