from collections import Counter

import numpy as np
import pytest

from ppvd.data import Clips


def draws(clips, num_frames, *, max_stride=1, count=400):
    rng = np.random.default_rng(0)
    return [clips.draw(num_frames, max_stride=max_stride, rng=rng) for _ in range(count)]


def test_consecutive_clips_begin_anywhere_and_stay_inside():
    found = Counter(map(tuple, draws(Clips(length=16, later="released"), 32)))
    assert found.keys() == {tuple(range(start, start + 16)) for start in range(17)}
    assert min(found.values()) > 8


def test_strides_are_drawn_up_to_the_largest_that_fits():
    found = draws(Clips(length=5, keyframes=(0, 2, 4), later="released"), 14, max_stride=9)
    steps = Counter(clip[1] - clip[0] for clip in found)
    assert steps.keys() == {1, 2, 3}
    assert min(steps.values()) > 100
    assert all(len(set(np.diff(clip))) == 1 and clip[-1] < 14 for clip in found)


def test_a_later_window_is_the_keyframes_of_an_earlier_one_and_what_follows():
    found = draws(Clips(later=1.0), 40)
    for clip in found:
        start = clip[2] - 15
        assert clip[1:] == [start + 8, start + 15, *range(start + 16, start + 29)]
        assert 0 <= clip[0] <= start
        assert clip[-1] < 40
    assert {clip[2] - 15 for clip in found} == set(range(12))
    assert any(clip[0] < clip[2] - 15 for clip in found)


def test_the_shortest_segment_for_a_later_window_gives_that_of_the_released_plan():
    """29 frames make two windows, and the second is this one (golden video_windows_a)."""
    expected = [0, 8, 15, *range(16, 29)]
    assert all(clip == expected for clip in draws(Clips(later=1.0), 29, count=5))
    assert all(clip == [*range(clip[0], clip[0] + 16)] for clip in draws(Clips(later=1.0), 28))


def test_both_kinds_are_drawn_at_their_share():
    later = [clip[1] - clip[0] > 1 for clip in draws(Clips(later=0.25), 64)]
    assert 0.18 < np.mean(later) < 0.32


@pytest.mark.parametrize("num_frames", [1, 5])
def test_a_short_segment_repeats_its_last_frame(num_frames):
    for clip in draws(Clips(), num_frames, max_stride=3, count=5):
        assert clip == [min(place, num_frames - 1) for place in range(16)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": 0, "later": "released"}, "length must be at least 1 frame, got 0"),
        ({"later": 1.5}, r"later must lie in \(0, 1\] or be released, got 1.5"),
        ({"later": 0.0}, r"later must lie in \(0, 1\] or be released, got 0.0"),
        ({"length": 8}, r"keyframes must increase from 0 to length - 1, 7"),
        ({"keyframes": (0, 15, 8)}, "keyframes must increase"),
        ({"length": 3, "keyframes": (0, 1, 2)}, "leave room for other frames"),
    ],
)
def test_clips_that_no_window_could_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Clips(**changes)
