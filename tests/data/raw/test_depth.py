import numpy as np
import pytest

from ppvd.data.raw import depth_from_disparity, depth_map, planar_depth


def test_every_number_has_one_of_three_states():
    metres = np.array([[3.0, 0, -1, np.nan, np.inf, 200, 200.1, 65504, 1e-50]])
    here = depth_map(metres)
    np.testing.assert_array_equal(here.valid[0], [1, 0, 0, 0, 0, 1, 1, 1, 0])
    assert not here.sky.any()
    far = depth_map(metres, sky_beyond_m=200.0)
    np.testing.assert_array_equal(far.valid[0], [1, 0, 0, 0, 0, 1, 0, 0, 0])
    np.testing.assert_array_equal(far.sky[0], [0, 0, 0, 0, 1, 0, 1, 1, 0])
    assert not (far.depth[~far.valid]).any()


def test_sky_that_the_set_names_is_sky_whatever_its_depth():
    named = np.array([[True, True, False]])
    read = depth_map(np.array([[3.0, np.nan, 3.0]]), sky=named)
    np.testing.assert_array_equal(read.sky, named)
    np.testing.assert_array_equal(read.valid, ~named)


def test_disparity_that_is_none_is_no_depth():
    disparity = np.array([[3.2, 0, -1, np.nan, 1e-6, np.inf]], np.float32)
    metres = depth_from_disparity(disparity, focal_px=32, baseline_m=0.2)
    assert metres[0, 0] == pytest.approx(2.0, rel=1e-6)
    assert np.isnan(metres[0, 1:4]).all()
    assert metres[0, 4] > 1e6
    assert metres[0, 5] == 0


def test_a_wall_seen_along_every_ray_is_at_one_depth():
    rows, columns = np.mgrid[:40, :60]
    rays = np.stack([(columns - 29.5) / 50, (rows - 19.5) / 50, np.ones((40, 60))], -1)
    distance = 3 * np.linalg.norm(rays, axis=-1)
    # Rays of any length are the same rays.
    np.testing.assert_allclose(planar_depth(distance, rays * 7.5), 3.0)
