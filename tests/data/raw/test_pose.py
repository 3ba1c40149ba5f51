import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ppvd.data.raw import (
    camera_to_world,
    pinhole,
    rotation_from_quaternion,
    scaled,
    world_to_camera,
)
from ppvd.data.raw.lens import lens_from_rays


def pose(seed=0):
    rng = np.random.default_rng(seed)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    matrix[:3, 3] = rng.normal(size=3) * 5
    return matrix


def test_a_pose_comes_back_from_its_inverse():
    np.testing.assert_allclose(world_to_camera(np.linalg.inv(pose())), pose(), atol=1e-12)
    np.testing.assert_allclose(world_to_camera(np.linalg.inv(pose())[:3]), pose(), atol=1e-12)
    np.testing.assert_array_equal(camera_to_world(pose()[:3]), pose())


def test_what_is_no_pose_is_none():
    lost, sheared, mirrored, turned = (pose() for _ in range(4))
    lost[0, 3] = -np.inf
    sheared[0, 0] += 0.01
    mirrored[:3, :3] *= -1
    turned[1, 1] = np.nan
    for matrix in (lost, sheared, mirrored, turned, np.zeros((4, 4))):
        assert camera_to_world(matrix) is None
        assert world_to_camera(matrix) is None


def test_poses_of_six_digits_are_poses():
    assert camera_to_world(pose().round(5)) is not None
    assert camera_to_world(pose().astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("seed", range(5))
def test_a_quaternion_turns_as_scipy_s(seed):
    rotation = Rotation.random(random_state=seed)
    quaternion = rotation.as_quat() * 3.7  # Any length means the same.
    np.testing.assert_allclose(rotation_from_quaternion(quaternion), rotation.as_matrix())


def test_a_quaternion_that_is_none_gives_no_pose():
    for values in ([0, 0, 0, 0], [np.nan, 0, 0, 1]):
        matrix = np.eye(4)
        matrix[:3, :3] = rotation_from_quaternion(np.array(values))
        assert camera_to_world(matrix) is None


def test_scaling_keeps_the_corners_where_they_are():
    """A point at the picture's corner, (-0.5, -0.5) and (W - 0.5, H - 0.5), stays there."""
    matrix = pinhole(100.0, 110.0, 31.5, 23.5)
    half = scaled(matrix, 0.5)
    corner = np.linalg.inv(matrix) @ [63.5, 47.5, 1]
    np.testing.assert_allclose(half @ corner, [31.5, 23.5, 1])
    np.testing.assert_allclose(half, pinhole(50.0, 55.0, 15.5, 11.5))
    assert matrix[0, 0] == 100


@pytest.mark.parametrize("factor", [1.0, -2.5])
def test_a_tilted_pinhole_is_found_behind_its_rays(factor):
    matrix, turn = pinhole(664.0, 664.0, 511.5, 971.0), pose(3)[:3, :3]
    rays = factor * turn.T @ np.linalg.inv(matrix)
    lens = lens_from_rays(rays)
    np.testing.assert_allclose(lens.intrinsics, matrix, rtol=1e-9)
    assert lens.skew_px == pytest.approx(0, abs=1e-9)
    assert np.linalg.det(lens.turn) == pytest.approx(1)
    pixel = np.array([100.0, 50, 1])
    seen = lens.turn @ (rays @ pixel) * np.sign(factor)
    np.testing.assert_allclose(matrix @ (seen / seen[2]), pixel)
