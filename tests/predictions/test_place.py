import numpy as np
import pytest

from ppvd.predictions import SavedMap, place
from ppvd.protocols import Box

FRAME = (6, 8)
WHOLE, INNER = Box(0, 0, 6, 8), Box(1, 2, 4, 5)
VALUES = np.arange(48, dtype=np.float32).reshape(1, 6, 8)


def test_a_map_of_the_whole_picture_is_cut():
    placed = place(SavedMap(VALUES), frame=FRAME, box=INNER, mode=None)
    assert np.array_equal(placed, VALUES[:, 1:5, 2:7])


def test_a_map_of_the_scored_part_stays():
    part = VALUES[:, 1:5, 2:7]
    assert np.array_equal(place(SavedMap(part), frame=FRAME, box=INNER, mode=None), part)


def test_another_size_is_resized_as_told_and_else_refused():
    saved = SavedMap(VALUES[:, ::2, ::2])
    placed = place(saved, frame=FRAME, box=WHOLE, mode="nearest")
    assert np.array_equal(placed[:, ::2, ::2], saved.values)
    assert set(np.unique(placed)) <= set(np.unique(saved.values))
    with pytest.raises(ValueError, match=r"size of what is scored, \(6, 8\), got \(3, 4\)"):
        place(saved, frame=FRAME, box=WHOLE, mode=None)


def test_a_known_part_gives_any_part_of_itself_and_no_more():
    saved = SavedMap(VALUES[:, 1:5, 2:7], FRAME, INNER)
    inside = place(saved, frame=FRAME, box=Box(2, 3, 2, 4), mode="nearest")
    assert np.array_equal(inside, VALUES[:, 2:4, 3:7])
    for box in (WHOLE, Box(0, 2, 4, 5), Box(1, 3, 4, 5)):
        with pytest.raises(ValueError, match="must show all that is scored"):
            place(saved, frame=FRAME, box=box, mode="nearest")


def test_a_whole_picture_of_another_size_is_resized_before_it_is_cut():
    large = np.kron(VALUES, np.ones((1, 2, 2), np.float32))
    saved = SavedMap(large, (12, 16), Box(0, 0, 12, 16))
    placed = place(saved, frame=FRAME, box=INNER, mode="nearest")
    assert np.array_equal(placed, VALUES[:, 1:5, 2:7])
