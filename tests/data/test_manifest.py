import json

import pytest

from ppvd.data.errors import ShardError
from ppvd.data.manifest import LeftOut, Manifest, ShardEntry

SHARD = ShardEntry(file="a-000000.tar", num_samples=3, bytes=100, sha256="0" * 64)


@pytest.fixture
def manifest():
    return Manifest(
        name="a",
        dataset="toys",
        split="val",
        licence="CC0",
        source={"seed": 1},
        tool="ppvd 0",
        shards=(SHARD, SHARD),
        left_out=(LeftOut(key="x", reason="unfit"),),
    )


def test_a_manifest_is_read_back_from_its_file_or_folder(manifest, tmp_path):
    manifest.save(tmp_path / "manifest.json")
    assert Manifest.load(tmp_path) == manifest
    assert Manifest.load(str(tmp_path / "manifest.json")) == manifest
    assert (manifest.num_samples, manifest.num_bytes) == (6, 200)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 7}, "schema 1, got 7.*build the set again"),
        ({"num_samples": 5}, "agree with itself"),
        ({"num_bytes": 5}, "agree with itself"),
        ({"colour": 1}, "colour"),
        ({"shards": None}, "fields of its schema"),
        ({"shards": [{"file": "a"}]}, "fields of its schema"),
    ],
)
def test_a_manifest_of_another_form_is_refused_by_name(manifest, tmp_path, change, message):
    path = tmp_path / "manifest.json"
    manifest.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ShardError, match=f"manifest {path} .*{message}"):
        Manifest.load(path)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff\xfe"])
def test_damaged_json_is_refused_by_name(tmp_path, payload):
    (tmp_path / "manifest.json").write_bytes(payload)
    with pytest.raises(ShardError, match=f"manifest {tmp_path}/manifest.json must be"):
        Manifest.load(tmp_path)


def test_a_missing_manifest_says_how_to_make_one(tmp_path):
    with pytest.raises(ShardError, match="ppvd shards build"):
        Manifest.load(tmp_path / "nowhere")


@pytest.mark.parametrize("file", ["", "/etc/a.tar", "../a.tar"])
def test_shards_lie_under_the_root(file):
    with pytest.raises(ShardError, match="relative path"):
        ShardEntry(file=file, num_samples=1, bytes=1, sha256="0" * 64)
