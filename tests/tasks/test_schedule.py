import itertools

import pytest
import torch

from ppvd.tasks.schedule import WarmupCosine


def rates(total_steps, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule = WarmupCosine(optimizer, total_steps, **options)
    found = []
    for _ in range(total_steps):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


def test_the_rate_climbs_in_a_line_and_then_falls_to_the_floor():
    found = rates(100, warmup_fraction=0.1, floor=0.05)
    torch.testing.assert_close(
        torch.tensor(found[:10]), 2.0 * torch.arange(1, 11) / 10, rtol=1e-6, atol=0
    )
    assert max(found) == found[9] == pytest.approx(2.0)
    assert all(a >= b for a, b in itertools.pairwise(found[9:]))
    assert found[-1] == pytest.approx(2.0 * 0.05, rel=0.05)
    assert found[10 + 45] == pytest.approx(2.0 * (0.05 + 0.95 / 2), rel=1e-6)


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_a_warmup_outside_the_run_is_refused(fraction):
    with pytest.raises(ValueError, match="warmup_fraction"):
        rates(10, warmup_fraction=fraction)
