"""Curves of the report are where their numbers are."""

import numpy as np

from ppvd.video import Curve, draw_curves
from ppvd.video.plot import BOTTOM_PX, HEIGHT_PX, LEFT_PX, RIGHT_PX, TOP_PX, WIDTH_PX


def blue(picture):
    """Rows and columns of the curve's pixels: blue outweighs red by far."""
    return np.nonzero(picture[..., 2].astype(int) - picture[..., 0] > 100)


def curve(values, times=None, **options):
    values = np.array(values, float)
    times = np.arange(len(values)) * 1.0 if times is None else np.array(times)
    return Curve(title="wobble", times=times, values=values, **options)


def test_a_rising_curve_goes_from_the_lower_left_to_the_upper_right():
    rows, columns = blue(draw_curves([curve([1, 2, 3])], seconds=2.0))
    ends = columns.min(), columns.max(), rows.min(), rows.max()
    drawn = LEFT_PX, WIDTH_PX - RIGHT_PX, TOP_PX, HEIGHT_PX - BOTTOM_PX
    np.testing.assert_allclose(ends, drawn, atol=1)  # Lines fade at their ends.
    assert rows[columns.argmin()] > rows[columns.argmax()]


def test_curves_lie_below_each_other():
    picture = draw_curves([curve([1, 2]), curve([2, 1])], seconds=1.0)
    assert picture.shape == (2 * HEIGHT_PX, WIDTH_PX, 3)


def test_a_value_that_is_held_reaches_the_next_one():
    rows, columns = blue(draw_curves([curve([0, 1], is_held=True)], seconds=2.0))
    middle = (LEFT_PX + WIDTH_PX - RIGHT_PX) // 2
    assert (rows[columns < middle - 2] > HEIGHT_PX - BOTTOM_PX - 3).all()
    assert (rows[columns > middle + 2] < TOP_PX + 3).all()
    assert abs(columns.max() - (WIDTH_PX - RIGHT_PX)) <= 1


def test_where_there_is_no_value_there_is_no_line():
    _, columns = blue(draw_curves([curve([1, 2, np.nan, np.nan, 1, 2])], seconds=5.0))
    step = (WIDTH_PX - RIGHT_PX - LEFT_PX) / 5
    assert not ((columns > LEFT_PX + 1.1 * step) & (columns < LEFT_PX + 3.9 * step)).any()


def test_curves_without_values_and_constant_ones_are_drawn():
    for values in ([np.nan], [3.0], [3.0, 3.0], [0.0, 0.0]):
        picture = draw_curves([curve(values)], seconds=1.0)
        assert len(blue(picture)[0]) == 0 or np.isfinite(values).all()
