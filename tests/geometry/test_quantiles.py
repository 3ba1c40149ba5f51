import pytest
import torch

from ppvd.geometry import masked_quantiles


@pytest.mark.parametrize("share", [0.01, 0.5, 1.0])
def test_equals_torch_quantile_on_the_valid_entries_alone(share):
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(4, 1, 23, 31, generator=generator)
    valid = torch.rand(values.shape, generator=generator) <= share
    valid[:, 0, 0, 0] = True
    positions = (0.0, 0.02, 0.37, 0.98, 1.0)
    found = masked_quantiles(values, valid, positions)
    for position, quantile in zip(positions, found, strict=True):
        assert quantile.shape == (4, 1, 1, 1)
        for one, mask, got in zip(values, valid, quantile, strict=True):
            expected = torch.quantile(one[mask], position)
            torch.testing.assert_close(got.squeeze(), expected, rtol=1e-6, atol=1e-6)


def test_one_valid_entry_is_every_quantile():
    values, valid = torch.tensor([[3.0, 7.0, 5.0]]), torch.tensor([[False, True, False]])
    assert [q.item() for q in masked_quantiles(values, valid, (0.0, 0.5, 1.0))] == [7.0] * 3


def test_nothing_valid_gives_infinity_for_that_map_only():
    values = torch.arange(6.0).reshape(2, 3)
    valid = torch.tensor([[False] * 3, [True] * 3])
    (median,) = masked_quantiles(values, valid, (0.5,))
    assert median.flatten().tolist() == [torch.inf, 4.0]


def test_invalid_entries_may_hold_anything():
    values = torch.tensor([[1.0, torch.nan, 3.0, -torch.inf]])
    valid = torch.tensor([[True, False, True, False]])
    assert masked_quantiles(values, valid, (0.5,))[0].item() == 2.0
