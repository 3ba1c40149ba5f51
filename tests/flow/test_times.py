import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from ppvd.flow import LogitNormalTimes, UniformTimes, released_grid, shifted_grid, uniform_grid

GOLDEN = Path(__file__).parents[1] / "golden" / "released"
GRIDS = GOLDEN / "timesteps_a.safetensors"


def _grid_metadata(key):
    with safe_open(GRIDS, "pt") as file:
        return json.loads(file.metadata()[key])


def test_logit_normal_quantiles_are_those_of_the_normal_through_the_sigmoid():
    times = LogitNormalTimes(loc=0.8, scale=1.2)(
        200_000, generator=torch.Generator().manual_seed(0)
    )
    assert times.dtype is torch.float32
    normal = torch.distributions.Normal(0.8, 1.2)
    for quantile in (0.1, 0.5, 0.9):
        expected = torch.sigmoid(normal.icdf(torch.tensor(quantile)))
        assert times.quantile(quantile) == pytest.approx(float(expected), abs=5e-3)


def test_uniform_times_fill_the_unit_interval():
    times = UniformTimes()(100_000, generator=torch.Generator().manual_seed(0))
    assert 0 <= times.min() < 1e-3
    assert 1 - 1e-3 < times.max() < 1
    assert times.mean() == pytest.approx(0.5, abs=5e-3)
    assert times.var() == pytest.approx(1 / 12, abs=2e-3)


@pytest.mark.parametrize("draw", [UniformTimes(), LogitNormalTimes()])
def test_equal_generators_draw_equal_times(draw):
    first, second = (draw(8, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(("seed", "loc", "scale"), [(201, 0.0, 1.0), (202, -0.5, 1.3)])
def test_logit_normal_times_round_to_the_released_timesteps(seed, loc, scale):
    golden = load_file(GOLDEN / "logitnormal_a.safetensors")
    times = LogitNormalTimes(loc, scale)(64, generator=torch.Generator().manual_seed(seed))
    expected = golden[f"out.seed{seed}_loc{loc}_scale{scale}"]
    assert torch.equal((1000 * times).round().int(), expected)


def test_logit_normal_scale_must_be_positive():
    with pytest.raises(ValueError, match=r"scale must be above 0, got 0\.0"):
        LogitNormalTimes(scale=0.0)


@pytest.mark.parametrize("num_steps", [1, 2, 3, 7, 49, 100])
@pytest.mark.parametrize(
    "grid",
    [uniform_grid, released_grid, lambda n: shifted_grid(n, 0.1), lambda n: shifted_grid(n, 3)],
)
def test_every_grid_descends_from_1_to_0(grid, num_steps):
    times = grid(num_steps)
    assert times[0] == 1.0
    assert times[-1] == 0.0
    assert len(times) == num_steps + 1
    assert all(later < earlier for earlier, later in pairwise(times))


def test_uniform_grid_has_equal_steps_and_shift_1_is_uniform():
    assert uniform_grid(4) == (1.0, 0.75, 0.5, 0.25, 0.0)
    assert shifted_grid(4, 1.0) == uniform_grid(4)


def test_shift_multiplies_the_odds_of_each_time():
    for plain, shifted in zip(uniform_grid(5)[1:-1], shifted_grid(5, 3.0)[1:-1], strict=True):
        assert shifted / (1 - shifted) == pytest.approx(3 * plain / (1 - plain))


def test_released_grid_of_four_steps():
    assert released_grid(4) == (1.0, 0.75, 0.5, 0.249, 0.0)


def test_matches_every_released_grid():
    golden = load_file(GRIDS)
    counts = [n for n in _grid_metadata("steps") if n <= 667]
    assert len(counts) > 50
    for num_steps in counts:
        # Some released grids end with a stray call at -1, which ours leaves out.
        steps = [step for step in golden[f"out.steps{num_steps}"].tolist() if step >= 0]
        assert released_grid(num_steps) == (*(step / 1000 for step in steps), 0.0)


def test_grids_reject_senseless_numbers():
    with pytest.raises(ValueError, match="num_steps must be at least 1, got 0"):
        uniform_grid(0)
    with pytest.raises(ValueError, match="num_steps must be at most 667 on the released grid"):
        released_grid(668)
    with pytest.raises(ValueError, match="shift must be above 0, got -1"):
        shifted_grid(4, -1)
    with pytest.raises(ValueError, match="shift must be above 0, got nan"):
        shifted_grid(4, math.nan)
