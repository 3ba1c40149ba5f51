import numpy as np
import pytest

from ppvd.data.mix import draw_sources

WEIGHTS = {"a": 5.0, "b": 3.0, "c": 2.0}


def test_sources_are_drawn_in_exact_proportion():
    counts = np.bincount(draw_sources(WEIGHTS, 1000, seed=0, epoch=0))
    np.testing.assert_array_equal(counts, [500, 300, 200])
    for num_draws in range(4, 50):
        counts = np.bincount(draw_sources(WEIGHTS, num_draws, seed=0, epoch=3), minlength=3)
        assert np.abs(counts - num_draws * np.array([0.5, 0.3, 0.2])).max() < 1
        assert counts.sum() == num_draws


def test_the_order_is_that_of_independent_draws():
    """A source follows itself about as often as its weight says (chi-square of the pairs)."""
    draws = draw_sources(WEIGHTS, 20_000, seed=1, epoch=0)
    pairs = np.zeros((3, 3))
    np.add.at(pairs, (draws[:-1], draws[1:]), 1)
    shares = np.array([0.5, 0.3, 0.2])
    expected = np.outer(shares, shares) * pairs.sum()
    assert ((pairs - expected) ** 2 / expected).sum() < 18.5  # 99.9 % of 4 degrees of freedom
    halves = [np.bincount(half) / len(half) for half in np.split(draws, 2)]
    np.testing.assert_allclose(halves[0], halves[1], atol=0.02)


def test_seed_and_epoch_decide_the_order():
    orders = [
        draw_sources(WEIGHTS, 50, seed=seed, epoch=epoch) for seed in (0, 1) for epoch in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 4
    np.testing.assert_array_equal(orders[0], draw_sources(WEIGHTS, 50, seed=0, epoch=0))


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_weights_are_positive_and_finite(weight):
    with pytest.raises(ValueError, match=f"'b' must be positive and finite, got {weight}"):
        draw_sources({"a": 1.0, "b": weight}, 10, seed=0, epoch=0)


def test_a_weight_that_would_starve_its_source_is_refused():
    with pytest.raises(ValueError, match=r"'b' .* one of the 10 samples .* got 0.001: raise"):
        draw_sources({"a": 1.0, "b": 0.001}, 10, seed=0, epoch=0)
