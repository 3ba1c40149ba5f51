"""Building to an object store and checking there: whole or not at all, resumed after a stop."""

import os

import pytest

from ppvd.cli import main as ppvd
from ppvd.data.build import UNFINISHED_NAME, build_shards
from ppvd.data.check import check_shards
from ppvd.data.errors import ShardError
from ppvd.data.folder import folder_at
from ppvd.data.manifest import MANIFEST_NAME, Manifest
from ppvd.data.storage import join, object_at, read_bytes


def main(words):
    ppvd(["shards", *words])


obstore = pytest.importorskip("obstore")


def build_toys(source, out):
    return build_shards(source, out, name="toys", split="train", samples_per_shard=4)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def stored(url):
    return {name: read_bytes(join(url, name)) for name in folder_at(url).names()}


def put(url, content):
    store, name = object_at(url)
    obstore.put(store, name, content)


def test_a_set_built_in_a_store_is_that_built_in_a_folder(build, toys, s3):
    build_toys(toys(count=10), s3)
    assert stored(s3) == contents(build(count=10))
    assert not list(check_shards(s3))


def test_a_build_that_was_stopped_goes_on(build, toys, s3, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        build_toys(toys(count=10, stop_at=5), s3)
    assert folder_at(s3).names() == ["toys-train-000000.tar", UNFINISHED_NAME]
    with pytest.raises(ShardError, match=r"manifest\.json must exist"):
        Manifest.load(s3)
    made = []
    sample = toys.sample
    monkeypatch.setattr(toys, "sample", lambda self, n: made.append(n) or sample(self, n))
    build_toys(toys(count=10), s3)
    assert made == list(range(4, 10))
    assert stored(s3) == contents(build(count=10))


def test_a_lost_shard_is_built_again(build, toys, s3):
    build_toys(toys(count=10), s3)
    folder_at(s3).remove("toys-train-000001.tar")
    folder_at(s3).remove("toys-train-000001.tar")
    put(join(s3, "toys-train-000002.tar"), b"short")
    build_toys(toys(count=10), s3)
    assert stored(s3) == contents(build(count=10))


def test_another_set_there_is_named(toys, s3):
    build_toys(toys(count=4), s3)
    with pytest.raises(ShardError, match=f"out {s3} must be empty or hold the same set"):
        build_toys(toys(count=5), s3)


def test_an_upload_that_reads_otherwise_is_removed_and_told(toys, s3, proxy, object_store):
    proxy.victim, proxy.faults = ".tar", [object_store.flip(700)]
    with pytest.raises(ShardError, match=f"{s3}/toys-train-000000.tar must read as it was written"):
        build_toys(toys(count=4), s3)
    assert folder_at(s3).names() == []


def test_refusals_for_want_of_time_are_waited_for(toys, s3, proxy, object_store, monkeypatch):
    fails = iter([True, True])
    passed_on = object_store.Answer.pass_on

    def busy(handler):
        if handler.command == "PUT" and next(fails, False):
            handler.rfile.read(int(handler.headers["Content-Length"]))
            handler.head(503, [], 0)
        else:
            passed_on(handler)

    monkeypatch.setattr(proxy.RequestHandlerClass, "do_PUT", busy)
    build_toys(toys(count=4), s3)
    assert not list(check_shards(s3))


def test_what_is_off_in_a_store_is_told(toys, s3):
    build_toys(toys(count=10), s3)
    folder_at(s3).remove("toys-train-000000.tar")
    damaged = bytearray(read_bytes(join(s3, "toys-train-000001.tar")))
    damaged[900] ^= 1
    put(join(s3, "toys-train-000001.tar"), bytes(damaged))
    put(join(s3, "more.tar"), b"?")
    put(join(s3, UNFINISHED_NAME), b"?")
    faults = "\n".join(check_shards(s3))
    for words in (
        f"shard {s3}/more.tar is not in the manifest",
        f"the build in {s3} is not finished",
        f"shard {s3}/toys-train-000000.tar cannot be read: there is none",
        f"shard {s3}/toys-train-000001.tar must have the manifest's sha256",
        "sample toy/000004: checksum",
    ):
        assert words in faults
    assert faults.count("\n") == 4


def test_the_command_builds_and_checks_there(s3, capsys):
    main(["build", "synthetic", "--out", s3, "--count", "3", "--size", "16", "24"])
    main(["check", s3])
    assert f"{s3}: 3 samples in 1 shard," in capsys.readouterr().out
    assert MANIFEST_NAME in folder_at(s3).names()


def test_a_store_that_refuses_is_one_sentence(s3, capsys, monkeypatch):
    from ppvd.data import storage

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    storage._store.cache_clear()
    with pytest.raises(SystemExit):
        main(["build", "synthetic", "--out", s3, "--count", "3", "--size", "16", "24"])
    said = capsys.readouterr().err
    assert "access is denied, check the credentials" in said
    assert said.count("\n") == 1


def test_a_folder_of_this_machine_is_made_when_something_is_written(tmp_path):
    folder = folder_at(tmp_path / "new")
    assert folder.names() == []
    folder.remove("nothing")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    with folder.appearing("empty"):
        pass
    folder.save("a", b"1")
    assert folder.names() == ["a"]
