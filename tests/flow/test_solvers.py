import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ppvd.flow import adams_bashforth2, euler, heun, released_grid, shifted_grid, uniform_grid

GOLDEN = Path(__file__).parents[1] / "golden" / "released"
SOLVERS = [euler, heun, adams_bashforth2]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_every_solver_is_exact_for_constant_velocity(solver, num_steps):
    noise, slope = torch.randn(2, 2, 1, 3, 4, dtype=torch.float64)
    clean = solver(lambda _sample, _time: slope, noise, shifted_grid(num_steps, 2.0))
    torch.testing.assert_close(clean, noise - slope)


def _error_on_decay(solver, grid):
    """Distance from the exact end of dx/dt = -x carried from t = 1 to t = 0."""
    start = torch.ones(1, 1, dtype=torch.float64)
    return (solver(lambda sample, _time: -sample, start, grid) - math.e).abs().item()


@pytest.mark.parametrize(("solver", "order"), [(euler, 1), (heun, 2), (adams_bashforth2, 2)])
@pytest.mark.parametrize("grid", [uniform_grid, lambda n: shifted_grid(n, 2.0)])
def test_halving_the_steps_shrinks_the_error_by_two_to_the_order(solver, order, grid):
    coarse, fine = (_error_on_decay(solver, grid(n)) for n in (64, 128))
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.1)


def test_adams_bashforth_integrates_a_linear_velocity_exactly_after_its_first_step():
    noise, times = torch.zeros(1, 1, dtype=torch.float64), (1.0, 0.7, 0.6, 0.1, 0.0)
    clean = adams_bashforth2(lambda _x, time: torch.full_like(noise, time), noise, times)
    # The exact change is -1/2; Euler's first step, of length 0.3, adds -0.3^2 / 2.
    assert clean.item() == pytest.approx(-0.5 - 0.3**2 / 2)


@pytest.mark.parametrize(("solver", "calls"), [(euler, 5), (heun, 9), (adams_bashforth2, 5)])
def test_number_of_network_calls_and_never_at_time_0(solver, calls):
    asked = []
    solver(lambda x, time: (asked.append(time), x)[1], torch.ones(1, 1), uniform_grid(5))
    assert len(asked) == calls
    assert min(asked) > 0


@pytest.mark.parametrize("precision", ["", "bf16pred_"])
@pytest.mark.parametrize("num_steps", [1, 2, 4, 10, 25])
def test_euler_matches_the_released_sampler(num_steps, precision):
    golden = load_file(GOLDEN / "euler_a.safetensors")
    slopes = golden[f"in.preds_steps{num_steps}"]
    dtype = torch.bfloat16 if precision else torch.float32
    queue = iter(slopes.to(dtype))
    clean = euler(lambda _x, _t: next(queue), golden["in.x_start"], released_grid(num_steps))
    expected = golden[f"out.traj_{precision}steps{num_steps}"][-1]
    assert clean.dtype is torch.float32
    assert (clean - expected).abs().max() < 2e-5 * expected.std()


@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_leave_the_noise_as_it_was(solver):
    noise = torch.randn(2, 1, 3, 3)
    before = noise.clone()
    solver(lambda sample, _time: sample, noise, uniform_grid(3))
    assert torch.equal(noise, before)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("times", [(), (1.0,), (0.5, 0.0), (1.0, 0.5), (1.0, 0.5, 0.5, 0.0)])
def test_solvers_reject_grids_that_do_not_descend_from_1_to_0(solver, times):
    with pytest.raises(ValueError, match="times must"):
        solver(lambda sample, _time: sample, torch.ones(1), times)
