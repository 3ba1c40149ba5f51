"""The rendered sets of the demo, held to the bytes that their manifests promise."""

from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from ppvd.data.build import build_shards
from ppvd.data.check import check_shards
from ppvd.data.manifest import MANIFEST_NAME, Manifest
from ppvd.data.sources.rendered import RenderedScenes

FOLDER = Path(__file__).parents[3] / "data_shards"
AVX2 = 11  # OpenCV's number for it.
SPLITS = ("train", "test")
MANIFESTS = sorted(FOLDER.glob("*.json"))


class LastShard:
    """The source of a set, all of whose samples but those of the last shard are left out."""

    def __init__(self, manifest):
        arguments = dict(manifest.source)
        self.samples_per_shard = arguments.pop("samples_per_shard")
        self.scenes = RenderedScenes(**arguments | {"size": tuple(arguments["size"])})
        self.scenes = replace(self.scenes, split=manifest.split)
        self.count = manifest.shards[-1].num_samples
        self.dataset, self.licence = self.scenes.dataset, self.scenes.licence
        self.sample_bytes, self.describe = self.scenes.sample_bytes, self.scenes.describe

    def __len__(self):
        return self.count

    def sample(self, index):
        return self.scenes.sample(len(self.scenes) - self.count + index)


def test_there_are_manifests():
    sets = {f"{demo}_{split}.json" for demo in ("demo", "demo_video") for split in SPLITS}
    assert sets <= {path.name for path in MANIFESTS}


@pytest.mark.skipif(not cv2.checkHardwareSupport(AVX2), reason="rounds otherwise")
@pytest.mark.parametrize("name", ["demo_test.json", "demo_video_test.json"])
def test_the_set_is_rendered_anew_to_the_bit(name, tmp_path):
    """Its last shard stands for it; scenes, JPEG, depth, and tar must all be what they were."""
    published = Manifest.load(FOLDER / name)
    source = LastShard(published)
    manifest = build_shards(source, tmp_path, name="last", split=published.split)
    (made,) = manifest.shards
    assert (made.bytes, made.sha256) == (published.shards[-1].bytes, published.shards[-1].sha256)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_finds_what_is_not_its_set(path, tmp_path):
    published = Manifest.load(path)
    source = LastShard(published)
    source.count, source.scenes = 1, replace(source.scenes, seed=1)
    build_shards(source, tmp_path, name=published.name, split=published.split)
    (tmp_path / MANIFEST_NAME).unlink()
    faults = list(check_shards(path, root=str(tmp_path)))
    assert any(published.shards[0].sha256 in fault for fault in faults)
