from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ppvd.flow import (
    clean_from_velocity,
    interpolate,
    noise_from_velocity,
    velocity,
    velocity_from_clean,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "released"


def test_the_path_runs_from_data_at_time_0_to_noise_at_time_1():
    clean, noise = torch.randn(2, 3, 1, 4, 5)
    assert torch.equal(interpolate(clean, noise, torch.zeros(3)), clean)
    assert torch.equal(interpolate(clean, noise, torch.ones(3)), noise)


def test_velocity_is_the_derivative_of_the_path():
    clean, noise = torch.randn(2, 3, 1, 4, 5, dtype=torch.float64)
    time = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    later, earlier = (interpolate(clean, noise, time + step) for step in (1e-3, -1e-3))
    slope = (later - earlier) / 2e-3
    torch.testing.assert_close(slope, velocity(clean, noise))


@pytest.mark.parametrize("time", [0.3, torch.tensor([0.06, 0.4, 1.0])])
def test_both_ends_are_recovered_from_a_point_and_its_velocity(time):
    clean, noise = torch.randn(2, 3, 1, 4, 5)
    noisy, slope = interpolate(clean, noise, time), velocity(clean, noise)
    torch.testing.assert_close(clean_from_velocity(noisy, slope, time), clean)
    torch.testing.assert_close(noise_from_velocity(noisy, slope, time), noise)
    torch.testing.assert_close(velocity_from_clean(noisy, clean, time), slope, rtol=1e-4, atol=1e-4)


def test_velocity_from_clean_divides_by_no_less_than_the_floor():
    noisy, clean = torch.randn(2, 2, 1, 4, 4)
    slope = velocity_from_clean(noisy, clean, torch.tensor([0.0, 0.01]), min_time=0.1)
    torch.testing.assert_close(slope, (noisy - clean) / 0.1)
    torch.testing.assert_close(velocity_from_clean(noisy, clean, 0.0, min_time=0.1), slope)


@pytest.mark.parametrize("kind", ["int", "float"])
def test_matches_the_released_schedule(kind):
    golden = load_file(GOLDEN / "schedule_a.safetensors")
    time = golden[f"in.t_{kind}"].float() / 1000
    clean, noise = golden["in.x_0"], golden["in.x_T"]
    # The released conversions were fed in.x_0 as the noisy sample.
    found = {
        "forward": interpolate(clean, noise, time),
        "pred_x0": clean_from_velocity(clean, golden["in.pred"], time),
        "pred_xT": noise_from_velocity(clean, golden["in.pred"], time),
        "to_pred": velocity(clean, noise),
    }
    for name, value in found.items():
        expected = golden[f"out.{name}_{kind}"]
        assert (value - expected).abs().max() < 2e-5 * expected.std(), name
