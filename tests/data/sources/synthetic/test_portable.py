import math

import numpy as np
import pytest

from ppvd.data.sources.synthetic.portable import Dice, cosine, inverse, product, sine


def test_sine_and_cosine_agree_with_the_library():
    angles = np.linspace(-40.0, 40.0, 4001)
    np.testing.assert_allclose([sine(a) for a in angles], np.sin(angles), atol=2e-13)
    np.testing.assert_allclose([cosine(a) for a in angles], np.cos(angles), atol=2e-13)
    assert sine(0.0) == 0.0
    assert abs(sine(math.pi / 2.0) - 1.0) < 1e-15


def test_product_and_inverse_agree_with_linear_algebra():
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(5, 4, 3)), rng.normal(size=(5, 3, 2))
    np.testing.assert_allclose(product(left, right), left @ right, atol=1e-14)
    matrix = rng.normal(size=(3, 3))
    np.testing.assert_allclose(inverse(matrix), np.linalg.inv(matrix), atol=1e-12)


def test_dice_draw_the_raw_bits_of_the_generator():
    raw = np.random.PCG64([3, 1]).random_raw(512)
    assert Dice(3, stream=1).unit() == (int(raw[-1]) >> 11) * 2.0**-53


def test_streams_of_one_seed_differ_and_repeat():
    draws = [Dice(5, stream=stream).unit() for stream in (0, 1, 0)]
    assert draws[0] == draws[2] != draws[1]


def test_draws_cover_their_range_evenly():
    dice = Dice(0)
    counts = np.bincount([dice.count(2, 5) for _ in range(4000)], minlength=7)
    assert counts[[0, 1, 6]].sum() == 0
    assert counts[2:6].min() > 850
    values = np.array([dice.uniform(-2.0, 3.0) for _ in range(2000)])
    assert values.min() >= -2.0
    assert values.max() < 3.0
    assert values.mean() == pytest.approx(0.5, abs=0.1)
    assert {dice.pick("ab") for _ in range(50)} == {"a", "b"}
    assert {dice.sign() for _ in range(50)} == {-1.0, 1.0}


def test_tinted_colours_stay_colours():
    dice = Dice(1)
    tints = np.array([dice.tint((0.0, 0.5, 1.0), amount=0.4) for _ in range(200)])
    assert tints.min() >= 0.02
    assert tints.max() <= 0.98
    assert tints[:, 1].std() > 0.1
