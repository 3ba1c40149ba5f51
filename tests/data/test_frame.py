from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from ppvd.data.frame import Frame


def fields(**changes):
    plain = {
        "image": np.zeros((4, 6, 3), np.uint8),
        "depth": np.ones((4, 6), np.float32),
        "valid": np.ones((4, 6), np.bool_),
        "sky": np.zeros((4, 6), np.bool_),
        "intrinsics": np.eye(3),
        "pose": np.eye(4),
        "key": "room-1_a",
        "scene": "room",
        "index": 0,
        "source": ("a.png",),
    }
    return plain | changes


def test_a_frame_without_pose_is_complete_and_frozen():
    frame = Frame(**fields(pose=None))
    assert frame.metadata == {}
    with pytest.raises(FrozenInstanceError):
        frame.index = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": np.zeros((4, 5, 3), np.uint8)}, r"image must be uint8 of shape \(4, 6, 3\)"),
        ({"image": np.zeros((4, 6, 3))}, "image must be uint8"),
        ({"depth": np.ones((4, 6))}, "depth must be float32"),
        ({"valid": np.ones((4, 6), np.uint8)}, "valid must be bool"),
        ({"sky": np.zeros((6, 4), np.bool_)}, r"sky must be bool of shape \(4, 6\)"),
        ({"intrinsics": np.eye(4)}, r"intrinsics must be float64 of shape \(3, 3\)"),
        ({"pose": np.eye(3)}, r"pose must be float64 of shape \(4, 4\)"),
        ({"sky": np.ones((4, 6), np.bool_)}, "sky must not be valid"),
        ({"key": "room.1"}, "key must be made of a-z.*got 'room.1'"),
        ({"key": ""}, "key must be made of"),
    ],
)
def test_what_breaks_the_contract_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        Frame(**fields(**changes))


def test_a_stack_of_depths_is_no_frame():
    cube = np.ones((2, 4, 6), np.float32)
    mask = np.ones(cube.shape, np.bool_)
    with pytest.raises(ValueError, match=r"depth must have shape \(H, W\)"):
        Frame(
            **fields(image=np.zeros((*cube.shape, 3), np.uint8), depth=cube, valid=mask, sky=~mask)
        )
