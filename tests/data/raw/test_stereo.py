import numpy as np
import pytest

from ppvd.data.raw import views_agree
from ppvd.data.sources.synthetic import render_frame

SIZE, SHIFT = (40, 60), 5


@pytest.fixture
def wide():
    """A picture of which the two views are windows, ``SHIFT`` pixels apart."""
    return render_frame(3, size=(SIZE[0], SIZE[1] + SHIFT)).image


@pytest.mark.parametrize(
    ("claimed", "agree"), [(SHIFT, True), (2 * SHIFT, False), (SHIFT / 2, False), (0.1, False)]
)
def test_only_the_true_disparity_makes_the_views_alike(wide, claimed, agree):
    left, right = wide[:, : SIZE[1]], wide[:, SHIFT:]  # What left shows at x, right shows at x-5.
    assert views_agree(left, right, np.full(SIZE, claimed, np.float32)) == agree


def test_some_pixels_that_one_eye_alone_sees_prove_nothing(wide):
    left, right = wide[:, : SIZE[1]].copy(), wide[:, SHIFT:]
    left[:2] = 255 - left[:2]
    assert views_agree(left, right, np.full(SIZE, SHIFT, np.float32))


def test_unknown_disparity_and_plain_walls_cannot_be_refused(wide):
    left, right = wide[:, : SIZE[1]], wide[:, SHIFT:]
    unknown = np.full(SIZE, np.nan, np.float32)
    assert views_agree(left, right, unknown)
    assert views_agree(left, right, 0 * unknown)
    plain = np.full((*SIZE, 3), 90, np.uint8)
    assert views_agree(plain, plain + 1, np.full(SIZE, SHIFT, np.float32))
