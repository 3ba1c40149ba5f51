import numpy as np
import pytest

from ppvd.data.raw import cut, jumps, runs


@pytest.mark.parametrize(
    ("numbers", "stride", "expected"),
    [
        ([], 1, []),
        ([5], 1, [[5]]),
        ([0, 1, 2, 5, 6, 9], 1, [[0, 1, 2], [5, 6], [9]]),
        (list(range(7)), 3, [[0, 3, 6]]),
        ([0, 1, 2, 3, 7, 8, 9], 2, [[0, 2], [7, 9]]),
    ],
)
def test_runs_end_at_gaps(numbers, stride, expected):
    assert runs(numbers, stride=stride) == expected


@pytest.mark.parametrize(
    ("count", "lengths"),
    [(3, [3]), (32, [32]), (47, [47]), (48, [32, 16]), (64, [32, 32]), (79, [32, 47]), (1, [1])],
)
def test_a_short_tail_joins_the_segment_before_it(count, lengths):
    segments = cut(range(count), 32)
    assert [len(segment) for segment in segments] == lengths
    assert [number for segment in segments for number in segment] == list(range(count))


def test_a_walk_is_no_jump_and_a_cut_is():
    depth = np.linspace(1, 9, 60, dtype=np.float32).reshape(6, 10)
    assert not jumps(depth, depth * 1.2)
    assert jumps(depth, depth * 1.5)
    assert jumps(depth * 1.5, depth)


def test_one_thing_that_moves_is_no_jump():
    depth = np.full((6, 10), 3, np.float32)
    moved = depth.copy()
    moved[:, :4] = 1
    assert not jumps(depth, moved)


def test_only_what_is_known_in_both_is_compared():
    depth, other = np.full((2, 4), 3, np.float32), np.full((2, 4), 3, np.float32)
    other[0], depth[1, :2] = 0, 0
    other[1, :2] = 90
    assert not jumps(depth, other)
    assert not jumps(depth, np.zeros_like(depth))
