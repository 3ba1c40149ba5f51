import math

import numpy as np
import pytest

from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.scene import Material
from ppvd.data.sources.synthetic.world.motion import Sway, along_lane
from ppvd.data.sources.synthetic.world.shapes import box, placed, rod

GREY = Material((0.5, 0.5, 0.5))


@pytest.mark.parametrize("end_radius", [0.3, 0.1, 0.7])
def test_a_rod_has_orthonormal_axes_and_its_wide_end_first(end_radius):
    start, end = np.array([1.0, 2.0, 0.5]), np.array([0.2, 2.9, 3.0])
    solid = rod(tuple(start), tuple(end), 0.3, GREY, end_radius=end_radius)
    axes = np.array(solid.axes)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    foot = np.array(solid.centre) - solid.half[2] * axes[2]
    np.testing.assert_allclose(foot, end if end_radius > 0.3 else start, atol=1e-12)
    assert solid.half[0] == max(0.3, end_radius)
    assert solid.taper[0] == pytest.approx(min(0.3, end_radius) / max(0.3, end_radius))


def test_a_quarter_turn_to_the_left_takes_x_to_y():
    (solid,) = placed(
        [box((2.0, 0.0, 1.0), (1.0, 1.0, 1.0), GREY)], at=(5.0, 5.0, 0.0), yaw=math.pi / 2
    )
    np.testing.assert_allclose(solid.centre, (5.0, 7.0, 1.0), atol=1e-12)
    np.testing.assert_allclose(solid.axes[0], (0.0, 1.0, 0.0), atol=1e-12)
    np.testing.assert_allclose(solid.axes[1], (-1.0, 0.0, 0.0), atol=1e-12)


def test_a_sway_is_bounded_and_smooth():
    sway = Sway.draw(Dice(0), 2.0, period_s=(4.0, 5.0))
    values = np.array([sway.at(0.01 * i) for i in range(3000)])
    assert np.abs(values).max() <= 2.0
    assert np.ptp(values) > 1.0
    assert np.abs(np.diff(values)).max() < 0.06


@pytest.mark.parametrize("speed", [7.0, -7.0])
def test_a_lane_begins_anew(speed):
    places = np.array([along_lane(8.0, speed, 0.1 * i, low=-25.0, high=130.0) for i in range(600)])
    assert places[0] == 8.0
    assert places.min() >= -25.0
    assert places.max() <= 130.0
    jumps = np.abs(np.diff(places)) > 1.0
    assert 1 <= jumps.sum() <= 3
    np.testing.assert_allclose(np.diff(places)[~jumps], 0.1 * speed, atol=1e-9)
