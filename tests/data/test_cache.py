import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ppvd.data import ShardDataModule
from ppvd.data.cache import GB, ShardCache
from ppvd.data.manifest import Manifest
from ppvd.data.source import ShardSource
from ppvd.data.storage import join, object_at

obstore = pytest.importorskip("obstore")


@pytest.fixture
def shards(build, s3):
    """Three shards of about one size in a store: their locations and entries."""
    folder = build(count=12, shard=4)
    for path in folder.iterdir():
        store, name = object_at(join(s3, path.name))
        obstore.put(store, name, path)
    return [(join(s3, entry.file), entry) for entry in Manifest.load(folder).shards]


@pytest.fixture
def cache(tmp_path, shards):
    """A cache with room for two of the three."""
    room = 2.5 * max(entry.bytes for _, entry in shards)
    return ShardCache(folder=str(tmp_path / "cache"), max_gb=room / GB)


def read(cache, shard):
    stream, num_bytes = cache.open(*shard)
    with stream:
        content = stream.read()
    assert len(content) == num_bytes
    return content


def kept(tmp_path, shards):
    """Numbers of the shards in the cache, which holds nothing else but locks."""
    found = {path.name for path in (tmp_path / "cache").iterdir() if path.suffix != ".lock"}
    numbers = [n for n, (_, entry) in enumerate(shards) if f"{entry.sha256}.tar" in found]
    assert len(numbers) == len(found)
    return numbers


def gone(location):
    store, name = object_at(location)
    obstore.delete(store, name)


def test_a_shard_is_fetched_once(cache, shards):
    first = read(cache, shards[0])
    gone(shards[0][0])
    assert read(cache, shards[0]) == first
    with pytest.raises(FileNotFoundError):
        read(replace(cache, folder=cache.folder + "2"), shards[0])


def test_the_one_unused_for_longest_is_removed(cache, shards, tmp_path):
    read(cache, shards[0])
    read(cache, shards[1])
    read(cache, shards[0])
    read(cache, shards[2])
    assert kept(tmp_path, shards) == [0, 2]


def test_a_removed_shard_is_read_to_its_end(cache, shards, tmp_path):
    stream, num_bytes = cache.open(*shards[0])
    read(cache, shards[1])
    read(cache, shards[2])
    assert kept(tmp_path, shards) == [1, 2]
    with stream:
        assert len(stream.read()) == num_bytes


def test_what_does_not_fit_is_read_from_its_store(shards, tmp_path):
    small = ShardCache(folder=str(tmp_path / "cache"), max_gb=1000 / GB)
    assert len(read(small, shards[0])) == shards[0][1].bytes
    assert kept(tmp_path, shards) == []


def test_what_is_not_as_the_manifest_says_is_not_kept(cache, shards, tmp_path, caplog):
    location, entry = shards[0]
    with caplog.at_level(logging.WARNING):
        read(cache, (location, replace(entry, sha256="0" * 64)))
    assert f"{location} is not as its manifest says" in caplog.text
    assert kept(tmp_path, shards) == []


def test_a_fetch_that_fails_or_was_killed_leaves_nothing(cache, shards, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir()
    for _, entry in shards[:2]:
        (folder / f"{entry.sha256}.part").write_bytes(b"?" * entry.bytes * 2)
    read(cache, shards[0])
    assert kept(tmp_path, shards) == [0]
    gone(shards[2][0])
    with pytest.raises(FileNotFoundError):
        read(cache, shards[2])
    assert kept(tmp_path, shards) == [0]


def test_those_who_come_at_once_fetch_it_once(cache, shards, proxy):
    with ThreadPoolExecutor(6) as threads:
        contents = list(threads.map(lambda n: read(cache, shards[n % 2]), range(6)))
    assert contents[0] == contents[2] == contents[4]
    assert sum(method == "GET" for method, _, _ in proxy.asked) == 2


def test_the_limit_holds_while_shards_are_fetched(cache, shards, tmp_path, monkeypatch):
    """Three at once, room for two: the third is read from the store."""
    sizes = []
    truncate = os.truncate

    def noted(path, size):
        truncate(path, size)
        held = [each for each in (tmp_path / "cache").iterdir() if each.suffix != ".lock"]
        sizes.append(sum(each.stat().st_size for each in held if each.exists()))

    monkeypatch.setattr("ppvd.data.cache.os.truncate", noted)
    with ThreadPoolExecutor(3) as threads:
        contents = list(threads.map(lambda shard: read(cache, shard), shards))
    assert [len(content) for content in contents] == [entry.bytes for _, entry in shards]
    assert max(sizes) <= cache.max_gb * GB


def test_shards_of_this_machine_are_opened_where_they_lie(cache, build, tmp_path):
    folder = build("near", count=4)
    entry = Manifest.load(folder).shards[0]
    assert read(cache, (str(folder / entry.file), entry)) == (folder / entry.file).read_bytes()
    assert not (tmp_path / "cache").exists()


def test_the_data_module_reads_through_it(cache, shards, tmp_path, s3):
    data = ShardDataModule(train={"toys": ShardSource(manifest=s3)}, size=(8, 8), cache=cache)
    assert len(list(data.train_dataloader())) == 12
    assert len(kept(tmp_path, shards)) == 2


def test_a_limit_must_be_positive():
    with pytest.raises(ValueError, match="max_gb must be positive, got 0"):
        ShardCache(folder="x", max_gb=0)
