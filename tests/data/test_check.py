import io
import json
import tarfile

import numpy as np
import pytest

from ppvd.data.build import build_shards, sha256
from ppvd.data.check import check_shards
from ppvd.data.encode import Sample
from ppvd.data.errors import ShardError
from ppvd.data.manifest import Manifest


def faults(folder, **options):
    return list(check_shards(folder, **options))


@pytest.fixture
def build_of(toys, frame, tmp_path):
    """Build a set of one sample whose frame has the given fields."""

    def build(**changes):
        class One(toys):
            def sample(self, _):
                return Sample(key="toy/0", frames=(frame(**changes),), lossless=True)

        build_shards(One(count=1), tmp_path / "one", name="one", split="val")
        return tmp_path / "one"

    return build


@pytest.mark.parametrize("frames_per_clip", [1, 3])
def test_a_good_set_has_no_fault(build, frames_per_clip):
    steps = []
    assert faults(build(frames_per_clip=frames_per_clip), advance=steps.append) == []
    assert sum(steps) == 10


def test_every_damaged_shard_is_listed(build):
    folder = build(count=20)
    files = [shard.file for shard in Manifest.load(folder).shards]
    (folder / files[0]).unlink()
    (folder / files[1]).write_bytes(b"")
    whole = bytearray((folder / files[2]).read_bytes())
    whole[whole.find(b"toy/000009.jpg") + 512 + 300] ^= 1
    (folder / files[2]).write_bytes(whole)
    found = faults(folder)
    assert [files[0] in fault for fault in found] == [True, False, False, False, False]
    assert "must exist" in found[0]
    assert files[1] in found[1]
    assert "sha256" in found[1]
    assert files[1] in found[2]
    assert "bytes" in found[2]
    assert files[2] in found[3]
    assert "sha256" in found[3]
    assert "toy/000009: checksum" in found[4]


def test_a_count_that_is_not_the_manifests_is_found(build):
    folder = build(count=4)
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["shards"][0]["num_samples"] = content["num_samples"] = 5
    path.write_text(json.dumps(content))
    assert len(faults(folder)) == 1
    assert "must hold 5 samples" in faults(folder)[0]


def test_a_key_in_two_shards_is_found(build):
    folder = build(count=8)
    first, second = (folder / shard.file for shard in Manifest.load(folder).shards)
    second.write_bytes(first.read_bytes())
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content["shards"][1] |= {"bytes": first.stat().st_size, "sha256": sha256(first)}
    content["num_bytes"] = 2 * first.stat().st_size
    path.write_text(json.dumps(content))
    assert [fault.split(" is in ")[0] for fault in faults(folder)] == [
        f"sample toy/{number:06d}" for number in range(4)
    ]


def test_files_that_belong_to_no_finished_build_are_found(build):
    folder = build()
    with tarfile.open(folder / "stray.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("a.json"), io.BytesIO())
    (folder / "toys-train-000009.tar.7.part").write_bytes(b"")
    (folder / "unfinished.json").write_bytes(b"")
    found = faults(folder)
    assert len(found) == 3
    for fault, word in zip(found, ("stray.tar", ".part", "not finished"), strict=True):
        assert word in fault


def test_a_set_of_another_split_than_it_says_is_found(build):
    folder = build(count=1)
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"split": "train"', '"split": "test"'))
    (found,) = faults(folder)
    assert "('toys', 'test'), got ('toys', 'train')" in found


VALID = np.ones((24, 36), bool)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": np.full((24, 36), 2e4, np.float32), "valid": VALID, "sky": ~VALID}, "10000 m"),
        ({"depth": np.full((24, 36), 1e-3, np.float32), "valid": VALID, "sky": ~VALID}, "0.01 m"),
        ({"intrinsics": np.array([[2.0, 0, 17], [0, 2, 11], [0, 0, 1]])}, "focal length"),
        ({"intrinsics": np.array([[900.0, 0, 17], [0, 900, 11], [0, 0, 1]])}, "focal length"),
        ({"intrinsics": np.array([[30.0, 0, 170], [0, 30, 11], [0, 0, 1]])}, "principal point"),
        ({"pose": np.diag([2.0, 1, 1, 1])}, "rotation"),
        ({"pose": np.diag([-1.0, 1, 1, 1])}, "rotation"),
    ],
)
def test_numbers_that_cannot_be_metres_or_pixels_are_found(build_of, changes, message):
    (found,) = faults(build_of(**changes))
    assert message in found
    assert "sample toy/0, frame 0" in found


def test_a_set_that_was_moved_apart_is_found_under_its_root(build, tmp_path):
    folder = build()
    apart = tmp_path / "toys.json"
    (folder / "manifest.json").rename(apart)
    assert faults(apart, root=str(folder)) == []
    assert len(faults(apart)) == 3


def test_without_a_manifest_there_is_nothing_to_check(tmp_path):
    with pytest.raises(ShardError, match="must exist"):
        faults(tmp_path)
