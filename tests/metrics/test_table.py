import numpy as np
import pytest
import torch
from scipy.stats import norm

from ppvd.metrics import bootstrap_interval, decode_keys
from ppvd.metrics.table import KEY_BYTES, encode_keys


def test_keys_come_back_as_they_were():
    keys = ["scene/000001", "", "grüße", "x" * KEY_BYTES]
    assert decode_keys(encode_keys(keys)) == keys
    assert encode_keys([]).shape == (0, KEY_BYTES)


def test_long_keys_are_shortened_and_stay_apart():
    long = ["k" * 300 + end for end in "ab"]
    found = decode_keys(encode_keys(long))
    assert found[0] != found[1]
    assert all(key.startswith("k" * 100) and len(key) == KEY_BYTES for key in found)


def test_interval_is_the_normal_one_for_many_values():
    values = torch.from_numpy(np.random.default_rng(0).normal(5.0, 2.0, 4000))
    low, high = bootstrap_interval(values, level=0.9)
    error = values.std().item() / 4000**0.5 * norm.ppf(0.95)
    assert (high - low) / 2 == pytest.approx(error, rel=0.1)
    assert (high + low) / 2 == pytest.approx(values.mean().item(), abs=0.1 * error)


def test_interval_leaves_out_nan_and_repeats_itself():
    values = torch.tensor([1.0, torch.nan, 2.0, 4.0])
    assert bootstrap_interval(values) == bootstrap_interval(values[[0, 2, 3]])
    assert bootstrap_interval(values, seed=1, num_resamples=7) != bootstrap_interval(
        values, seed=2, num_resamples=7
    )
    assert bootstrap_interval(torch.ones(3)) == (1.0, 1.0)
    assert np.isnan(bootstrap_interval(values[1:2])).all()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"level must lie within \(0, 1\), got 1"):
        bootstrap_interval(torch.ones(2), level=1.0)
    with pytest.raises(ValueError, match="num_resamples must be at least 1, got 0"):
        bootstrap_interval(torch.ones(2), num_resamples=0)
