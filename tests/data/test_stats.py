import numpy as np
import pytest

from ppvd.data.decode import decode
from ppvd.data.plan import pieces
from ppvd.data.source import ShardSource
from ppvd.data.stats import LOWEST, SetStats, measure, twins
from ppvd.data.stream import read_pieces


def samples(folder):
    shards = ShardSource(manifest=str(folder)).open()
    total = shards.num_samples
    return list(read_pieces(shards, list(pieces([total], start=0, stop=total)), on_bad=pytest.fail))


def test_counts_are_those_of_the_frames(build):
    folder = build(count=5, shard=5)
    stats = measure(str(folder))
    frames = [decode(raw) for raw in samples(folder)]
    measured = np.concatenate([frame.depth[frame.valid] for frame in frames])
    assert (stats.frames, stats.posed, stats.pixels) == (5, 5, 5 * 24 * 36)
    assert stats.measured == measured.size
    assert stats.sky == sum(int(frame.sky.sum()) for frame in frames) > 0
    assert (dict(stats.lengths), dict(stats.sizes)) == ({1: 5}, {(24, 36): 5})
    for octave in range(-2, 6):
        inside = (measured >= 2.0**octave) & (measured < 2.0 ** (octave + 1))
        assert stats.octaves[octave - LOWEST] == inside.sum()


def test_every_frame_of_a_clip_counts(build):
    stats = measure(str(build(count=2, frames_per_clip=3)))
    assert (dict(stats.lengths), stats.frames, len(stats.pictures)) == ({3: 2}, 6, 6)


def test_depths_beyond_the_octaves_are_counted_at_their_ends(frame):
    stats = SetStats(manifest=None)
    depth = np.array([[1e-4, 0.02, 9e4]], np.float32)
    known = np.ones((1, 3), bool)
    stats.add(frame(size=(1, 3), depth=depth, valid=known, sky=~known), b"picture")
    assert (stats.octaves[0], stats.octaves[-1], stats.measured) == (2, 1, 3)


def test_twins_are_found_within_a_set_and_across_sets(build):
    one, two = measure(str(build("one", count=3))), measure(str(build("two", count=2)))
    assert twins({"one": one}) == []
    assert twins({"one": one, "two": two}) == [
        [f"one: toy/{number:06d}", f"two: toy/{number:06d}"] for number in range(2)
    ]
    keys = next(iter(one.pictures.values()))
    keys.append("again")
    assert twins({"one": one}) == [[f"one: {keys[0]}", "one: again"]]
