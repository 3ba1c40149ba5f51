import numpy as np
import pytest

from ppvd.data.sources.rendered import RenderedScenes


def test_samples_repeat_and_differ():
    scenes = RenderedScenes(count=3, size=(16, 20), seed=5)
    first, again, other = (scenes.sample(index).frames[0] for index in (0, 0, 1))
    np.testing.assert_array_equal(first.depth, again.depth)
    assert not np.array_equal(first.depth, other.depth)
    assert first.depth.shape == (16, 20)


def test_no_scene_is_in_two_splits_or_seeds():
    sets = [
        RenderedScenes(count=2, size=(8, 8), seed=seed, split=split)
        for seed in (0, 1)
        for split in ("train", "val", "test")
    ]
    samples = [scenes.sample(index) for scenes in sets for index in range(2)]
    assert len({sample.frames[0].scene for sample in samples}) == 12
    assert len({sample.key for sample in samples}) == 12


def test_clips_are_consecutive_frames_of_one_scene():
    sample = RenderedScenes(count=1, size=(16, 16), frames_per_clip=3).sample(0)
    assert [frame.index for frame in sample.frames] == [0, 1, 2]
    assert len({frame.scene for frame in sample.frames}) == 1
    assert not np.array_equal(sample.frames[0].pose, sample.frames[2].pose)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 0}, "count must be at least 1 sample, got 0"),
        ({"size": (0, 8)}, r"size must be a positive height and width, got \(0, 8\)"),
        ({"frames_per_clip": 1}, "frames_per_clip must be at least 2, got 1"),
        ({"seed": -1}, "seed must not be negative, got -1"),
    ],
)
def test_numbers_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        RenderedScenes(**{"count": 1, "size": (8, 8)} | change)


@pytest.mark.parametrize("frames_per_clip", [None, 2])
def test_the_world_is_the_sets(frames_per_clip):
    scenes = RenderedScenes(count=1, size=(8, 8), frames_per_clip=frames_per_clip, world="yard")
    assert scenes.sample(0).frames[0].scene.startswith("yard-")
    assert scenes.describe()["world"] == "yard"
