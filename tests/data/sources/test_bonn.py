from pathlib import Path

import numpy as np
import pytest

from ppvd.data.sources.bonn import Bonn

SIZE = (480, 640)
# As the clock gave them: four to six decimals. 470.5 has no depth within reach.
PICTURES = [
    "1548266469.88231",
    "1548266469.9",
    "1548266469.9331",
    "1548266470.5",
    "1548266470.60001",
]
DEPTHS = ["1548266469.93004", "1548266469.8901", "1548266470.59002"]
PAIRS = [(0, 1), (2, 0), (4, 2)]
ROOT = "rgbd_bonn_dataset/rgbd_bonn_balloon2"


@pytest.fixture
def balloon(tree):
    for number, stamp in enumerate(PICTURES):
        tree.picture(f"{ROOT}/rgb/{stamp}.png", SIZE, seed=number)
    for number, stamp in enumerate(DEPTHS):
        tree.png(f"{ROOT}/depth/{stamp}.png", np.full(SIZE, 5000 * (number + 1), np.uint16))
    tree.text(f"{ROOT}/rgb.txt", "# color images")
    return tree


def test_a_picture_gets_the_depth_nearest_in_time(balloon, frames, holds):
    source = Bonn(raw=balloon.root)
    found, left_out = frames(source)
    assert not left_out
    assert list(found) == ["balloon2/000000", "balloon2/000001", "balloon2/000002"]
    for frame, (picture, depth) in zip(found.values(), PAIRS, strict=True):
        assert frame.image[0, 0, 2] == 40 + picture
        np.testing.assert_array_equal(frame.depth, np.full(SIZE, depth + 1, np.float32))
        assert frame.metadata == {"picture_s": PICTURES[picture], "depth_s": DEPTHS[depth]}
    assert source.notes() == {"pictures_without_depth": 2, "depths_without_picture": 0}
    assert holds(source).num_samples == 3


def test_one_sequence_may_be_the_root(balloon, monkeypatch):
    assert Bonn(raw=balloon.root / ROOT).entries[0].key == "bonn/balloon2/000000"
    monkeypatch.chdir(balloon.root / ROOT)
    assert Bonn(raw=Path()).entries[0].key == "bonn/balloon2/000000"


def test_pairing_by_number_is_that_of_published_scores(balloon, frames):
    found, _ = frames(Bonn(raw=balloon.root, pairing="number"))
    pairs = [tuple(frame.metadata.values()) for frame in found.values()]
    assert pairs == list(zip(PICTURES[:3], sorted(DEPTHS), strict=True))


def test_seconds_are_numbers_also_where_they_gain_a_digit(tree, frames):
    for number, second in enumerate(("10.5", "9.5")):
        tree.picture(f"{ROOT}/rgb/{second}.png", SIZE, seed=number)
        tree.png(f"{ROOT}/depth/{second}.png", np.full(SIZE, 5000, np.uint16))
    found, _ = frames(Bonn(raw=tree.root, pairing="number"))
    assert [frame.metadata["picture_s"] for frame in found.values()] == ["9.5", "10.5"]


def test_codes_are_steps_of_a_fifth_of_a_millimetre_and_zero_is_unknown(tree, frames, states):
    tree.picture(f"{ROOT}/rgb/1.0.png", SIZE)
    codes = np.full(SIZE, 15000, np.uint16)
    codes[0, :4] = [0, 499, 50000, 65534]
    tree.png(f"{ROOT}/depth/1.0.png", codes)
    (frame,) = frames(Bonn(raw=tree.root))[0].values()
    assert states(frame)[0, :5].tolist() == [0, 1, 1, 1, 1]
    np.testing.assert_allclose(frame.depth[0, 1:5], [0.0998, 10, 13.1068, 3], rtol=1e-6)


def test_pictures_of_another_size_than_the_calibrated_one_are_refused(tree, frames):
    tree.picture(f"{ROOT}/rgb/1.0.png", (240, 320))
    tree.png(f"{ROOT}/depth/1.0.png", np.full((240, 320), 5000, np.uint16))
    _, left_out = frames(Bonn(raw=tree.root))
    assert "must be of size (480, 640)" in left_out["balloon2/000000"]


def test_a_whole_sequence_is_one_sample_of_the_frames_asked_for(balloon):
    source = Bonn(raw=balloon.root, clips=True, start=1, frames_per_clip=500)
    assert len(source) == 1
    sample = source.sample(0)
    assert sample.key == "bonn/balloon2/000001-002"
    assert [frame.index for frame in sample.frames] == [1, 2]


def test_a_video_with_a_damaged_frame_is_no_video(balloon, frames):
    balloon.truncate(f"{ROOT}/depth/{DEPTHS[0]}.png")
    found, left_out = frames(Bonn(raw=balloon.root, clips=True))
    assert not found
    assert "grey picture of 16 bits" in left_out["balloon2/000000-003"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": -1}, "start must not be negative, got -1"),
        ({"stride": 0}, "stride must be at least 1 frame, got 0"),
        ({"frames_per_clip": 1}, "frames_per_clip must be at least 2, got 1"),
        ({"split": "train"}, "split must be one of test for bonn, got train"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        Bonn(raw=tmp_path, **change)
