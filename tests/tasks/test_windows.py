import itertools
import json
from pathlib import Path

import pytest
from safetensors import safe_open

from ppvd.tasks.windows import WindowPlan

GOLDEN = Path(__file__).parents[1] / "golden" / "released" / "video_windows_a.safetensors"
with safe_open(GOLDEN, "pt") as golden:
    PLAN = {int(count): plan for count, plan in json.loads(golden.metadata()["plan"]).items()}
RELEASED = [count for count, plan in PLAN.items() if "windows" in plan]


@pytest.mark.parametrize("count", RELEASED)
def test_windows_are_the_released_ones(count):
    assert [window for window, _ in WindowPlan().cut(range(count))] == PLAN[count]["windows"]


def test_the_golden_holds_lengths_on_both_sides_of_each_seam():
    assert {4, 15, 16, 17, 29, 30, 42, 43} <= set(RELEASED)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_videos_at_which_the_released_code_fails_fill_one_window(count):
    assert "error" in PLAN[count]
    ((window, num_new),) = WindowPlan().cut(range(count))
    assert window == [min(place, count - 1) for place in range(16)]
    assert num_new == count


@pytest.mark.parametrize("count", range(60))
@pytest.mark.parametrize("plan", [WindowPlan(), WindowPlan(length=5, keyframes=(0, 3))])
def test_each_frame_is_new_once_and_in_order(plan, count):
    found = []
    for number, (window, num_new) in enumerate(plan.cut(range(count))):
        assert len(window) == plan.length
        first = len(plan.keyframes) if number else 0
        found += window[first : first + num_new]
    assert found == list(range(count))


def test_a_video_without_end_is_cut_as_it_comes():
    taken = []
    frames = (taken.append(number) or number for number in itertools.count())
    windows = WindowPlan().cut(frames)
    for _ in range(10):
        next(windows)
    assert len(taken) == 16 + 9 * 13


@pytest.mark.parametrize("keyframes", [(), (1, 2), (0, 0), (0, 5, 3), (0, 6), (0, 1, 2, 3, 4, 5)])
def test_keyframes_out_of_order_or_out_of_the_window_are_refused(keyframes):
    with pytest.raises(ValueError, match="keyframes must increase from 0 within the 6 frames"):
        WindowPlan(length=6, keyframes=keyframes)
