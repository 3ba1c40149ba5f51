import pickle
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from ppvd.data.build import build_shards
from ppvd.data.errors import SampleError, ShardError, UnfitSampleError
from ppvd.data.frame import Frame
from ppvd.data.manifest import Manifest
from ppvd.data.raw import NO_FILE, Picture, Shot, Taken, VideoSource, depth_map, pair, pinhole


@dataclass(frozen=True, kw_only=True)
class Toy(VideoSource):
    """Frames of text files that hold a depth; 'bad' ones cannot be read.

    Args:
        scale: Metres of one.
    """

    scale: float = 1.0

    dataset: ClassVar[str] = "toy"
    licence: ClassVar[str] = "CC0"
    splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def shots(self):
        for folder in sorted(path for path in self.raw.iterdir() if path.is_dir()):
            files = {int(path.stem): path.relative_to(self.raw) for path in folder.iterdir()}
            last = range(max(files, default=-1) + 1)
            every = dict.fromkeys(last, NO_FILE)
            yield from pair(every, files, scene=folder.name, sequence=folder.name)

    def take(self, shot: Shot) -> Taken:
        words = (self.raw / shot.depth).read_text().split()
        if words[0] == "bad":
            raise SampleError("it is bad")
        size = (4, 6) if len(words) == 1 else (5, 6)
        image = np.full((*size, 3), shot.number, np.uint8)
        metres = np.full(size, float(words[0]) * self.scale)
        picture = Picture(image=image, payload=None)
        return self.taken(shot, picture, depth_map(metres), intrinsics=pinhole(5, 5, 2.5, 1.5))


@pytest.fixture
def download(tmp_path):
    def write(folder="Seq.A", words=("3",) * 8):
        path = tmp_path / "raw" / folder
        path.mkdir(parents=True)
        for number, word in enumerate(words):
            if word:
                (path / f"{number}.txt").write_text(word)
        return tmp_path / "raw"

    return write


def numbers(sample):
    return [frame.index for frame in sample.frames]


def test_a_key_carries_no_dot_and_no_capital(download):
    source = Toy(raw=download())
    assert {entry.key for entry in source.entries} == {f"toy/seq-a/{n:06d}" for n in range(8)}
    assert isinstance(source.sample(0).frames[0], Frame)


def test_splits_to_evaluate_keep_the_order_of_the_set(download):
    raw = download()
    keys = [entry.key for entry in Toy(raw=raw, split="test").entries]
    assert keys == sorted(keys)
    train = [entry.key for entry in Toy(raw=raw).entries]
    assert train != keys
    assert sorted(train) == keys


def test_samples_to_test_on_are_stored_without_loss(download):
    raw = download(words=("3.1415927",) * 2)
    assert not Toy(raw=raw).sample(0).lossless
    test = Toy(raw=raw, split="test")
    assert test.sample(0).lossless
    assert test.sample_bytes == 4 * Toy(raw=raw).sample_bytes


def test_what_a_set_does_not_have_is_refused(tmp_path):
    with pytest.raises(ValueError, match="split must be one of train, test for toy, got val"):
        Toy(raw=tmp_path, split="val")
    for change, message in (
        ({"limit": 0}, "limit must be at least 1 sample, got 0"),
        ({"frames_per_clip": 1}, "frames_per_clip must be at least 2, got 1"),
        ({"stride": 0}, "stride must be at least 1 frame, got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            Toy(raw=tmp_path, **change)


def test_an_empty_download_is_named(tmp_path):
    with pytest.raises(ShardError, match=f"raw {tmp_path} must hold frames of toy, found none"):
        len(Toy(raw=tmp_path))


def test_names_that_become_one_key_are_refused(download):
    download("a.b", ("3",))
    raw = download("a-b", ("3",))
    with pytest.raises(ShardError, match="toy/a-b/000000 is there twice"):
        len(Toy(raw=raw))


def test_the_description_tells_one_download_from_another(download, tmp_path):
    raw = download()
    first = Toy(raw=raw, scale=2.0).describe()
    assert (first["scale"], first["split"], first["limit"]) == (2.0, "train", None)
    assert str(tmp_path) not in str(first)
    raw.rename(tmp_path / "moved")
    assert Toy(raw=tmp_path / "moved", scale=2.0).describe() == first
    (tmp_path / "moved/Seq.A/3.txt").write_text("3.5")
    assert Toy(raw=tmp_path / "moved", scale=2.0).describe() != first


def test_a_listing_is_made_once_and_travels_with_the_source(download, monkeypatch):
    source = Toy(raw=download())
    count = len(source)
    monkeypatch.setattr(Toy, "shots", lambda _: pytest.fail("listed again"))
    again = pickle.loads(pickle.dumps(source))
    assert len(again) == count
    assert again.sample(1).key == source.sample(1).key


def test_a_picture_that_cannot_be_read_is_named(download):
    source = Toy(raw=download(words=("3", "bad", "")), split="test")
    assert len(source) == 2
    with pytest.raises(UnfitSampleError, match="it is bad") as caught:
        source.sample(1)
    assert caught.value.key == "toy/seq-a/000001"
    out = source.raw.parent / "out"
    manifest = build_shards(source, out, name="toy", split="test", max_left_out=0.5)
    assert [item.key for item in manifest.left_out] == ["toy/seq-a/000001"]


@pytest.mark.parametrize(
    ("words", "kept", "lost"),
    [
        (["3"] * 8, [*range(8)], []),
        (["3"] * 2 + ["bad"] + ["3"] * 5, [3, 4, 5, 6, 7], [2, 0, 1]),
        (["3"] * 5 + ["9"] * 3, [0, 1, 2, 3, 4], [5, 6, 7]),
        (["3"] * 5 + ["0"] + ["3"] * 2, [0, 1, 2, 3, 4], [5, 6, 7]),
        (["3"] * 4 + ["3 wide"] * 4, [0, 1, 2, 3], [4, 5, 6, 7]),
        (["3", "bad", "3", "3", "3", "3", "bad", "3"], [2, 3, 4, 5], [1, 6, 0, 7]),
    ],
)
def test_a_segment_keeps_its_longest_steady_run_and_reports_the_rest(download, words, kept, lost):
    sample = Toy(raw=download(words=words), clips=True, frames_per_clip=8).sample(0)
    assert numbers(sample) == kept
    assert [int(item.key[-1]) for item in sample.left_out] == lost
    assert not any(item.whole for item in sample.left_out)


def test_a_segment_without_a_run_that_is_long_enough_is_unfit(download):
    words = ["3", "3", "3", "bad", "3", "3", "3", "9"]
    with pytest.raises(UnfitSampleError, match=r"run of 3 frames is shorter than 4 \(it is bad\)"):
        Toy(raw=download(words=words), clips=True, frames_per_clip=8).sample(0)


def test_frames_that_are_in_no_segment_are_reported(download):
    raw = download(words=["3"] * 3 + [""] + ["3"] * 8)
    source = Toy(raw=raw, split="test", clips=True, frames_per_clip=8)
    faults = {entry.key: entry.fault for entry in source.entries if entry.fault}
    assert faults == {
        "toy/seq-a/000003": "its depth file is missing",
        "toy/seq-a/000000-003": "a run of 3 frames is shorter than 4",
    }
    assert numbers(source.sample(2)) == [*range(4, 12)]


def test_a_stride_takes_frames_at_equal_distances(download):
    source = Toy(raw=download(words=["3"] * 12), clips=True, frames_per_clip=4, stride=3)
    assert [numbers(source.sample(i)) for i in range(len(source))] == [[0, 3, 6, 9]]


def test_frames_lost_from_segments_do_not_stop_the_build(download, tmp_path):
    source = Toy(raw=download(words=["3"] * 7 + ["bad"]), clips=True, frames_per_clip=8)
    build_shards(source, tmp_path / "out", name="toy", split="train")
    manifest = Manifest.load(tmp_path / "out")
    assert manifest.num_samples == 1
    (item,) = manifest.left_out
    assert (item.key, item.reason, item.whole) == ("toy/seq-a/000007", "it is bad", False)


def test_a_clip_takes_as_many_bytes_as_its_frames(download):
    raw = download(words=["3"] * 12)
    assert Toy(raw=raw).sample_bytes == Toy.frame_bytes
    assert Toy(raw=raw, clips=True, frames_per_clip=6).sample_bytes == 6 * Toy.frame_bytes
