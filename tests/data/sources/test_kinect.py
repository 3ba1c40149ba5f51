import cv2
import numpy as np
import pytest

from ppvd.data.sources import kinect
from ppvd.data.sources.kinect import depth_in_picture, undistorted

SIZE = (480, 640)
# As in the authors' toolbox, whose pixels count from 1.
COLOUR = np.array([[518.857901, 0, 325.582449], [0, 519.469611, 253.736166], [0, 0, 1]])
DEPTH = np.array([[582.624482, 0, 313.044759], [0, 582.691033, 238.443896], [0, 0, 1]])
SHIFT_M = np.array([0.025031875, -0.00029342313, 0.00066238747])


@pytest.mark.parametrize("code", [975, 900, 1050])
def test_a_wall_before_the_camera_keeps_its_depth(code):
    depth = depth_in_picture(np.full(SIZE, code, np.uint16))
    z = np.float32(351.3 / (1092.5 - code))
    np.testing.assert_array_equal(np.unique(depth), [0, z])
    assert (depth[60:420, 60:580] == z).mean() > 0.8


@pytest.mark.parametrize("code", [0, 599, 1058, 1092, 1093, 2047, 65535])
def test_codes_outside_the_range_of_the_sensor_are_no_measurement(code):
    """1058 stands for 10.2 m, 1092 for 703 m, and what is beyond for something behind."""
    assert not depth_in_picture(np.full(SIZE, code, np.uint16)).any()


@pytest.mark.parametrize("point", [(0.0, 0.0, 2.0), (0.6, -0.3, 2.5), (-0.5, 0.4, 1.5)])
def test_a_point_lands_where_the_two_cameras_see_it(point):
    """OpenCV projects it through the lens into the depth map and, moved, into the picture."""
    point = np.array(point)
    zero = np.zeros(3)
    (seen,) = cv2.projectPoints(point[None], zero, zero, DEPTH, kinect.DEPTH_LENS)[0][0] - 1
    # The toolbox's own way round: turned by -R and shifted by +T.
    moved = -kinect.TURN @ point + SHIFT_M
    (shown,) = cv2.projectPoints(moved[None], zero, zero, COLOUR, None)[0][0] - 1
    codes = np.zeros(SIZE, np.uint16)
    column, row = np.rint(seen).astype(int)
    codes[row - 1 : row + 2, column - 1 : column + 2] = round(1092.5 - 351.3 / point[2])
    rows, columns = np.nonzero(depth_in_picture(codes))
    assert abs(columns.mean() - shown[0]) < 1
    assert abs(rows.mean() - shown[1]) < 1
    assert len(rows) >= 4


def test_principal_points_are_the_toolboxs_counted_from_0():
    for ours, theirs in ((kinect.INTRINSICS, COLOUR), (kinect.DEPTH_INTRINSICS, DEPTH)):
        np.testing.assert_allclose(ours[:2, 2], theirs[:2, 2] - 1, atol=1e-4)
        np.testing.assert_allclose(ours.diagonal(), theirs.diagonal(), atol=1e-4)
    np.testing.assert_allclose(kinect.TURN @ kinect.TURN.T, np.eye(3), atol=1e-4)


def test_the_nearer_of_two_that_meet_wins():
    """A step in depth: the picture, taken from aside, sees some pixels of both sides at once."""
    codes = np.full(SIZE, 1000, np.uint16)
    codes[:, 300:] = 700
    depth = depth_in_picture(codes)
    near, far = (np.float32(351.3 / (1092.5 - code)) for code in (700, 1000))
    assert set(np.unique(depth)) == {0, near, far}
    assert (np.diff(np.flatnonzero(depth[240] == near)) <= 2).all()


def test_the_picture_is_undistorted_as_opencv_does():
    image = np.zeros((*SIZE, 3), np.uint8)
    (seen,) = cv2.projectPoints(
        np.array([[0.3, 0.2, 1.0]]), np.zeros(3), np.zeros(3), kinect.INTRINSICS, kinect.COLOUR_LENS
    )[0][0]
    column, row = np.rint(seen).astype(int)
    image[row - 2 : row + 3, column - 2 : column + 3] = 255
    x, y, w = kinect.INTRINSICS @ [0.3, 0.2, 1.0]
    assert undistorted(image)[round(y / w), round(x / w)].min() > 200
