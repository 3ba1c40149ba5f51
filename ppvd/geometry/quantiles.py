"""Quantiles over the valid pixels of each map of a batch, without a host sync."""

from collections.abc import Iterable

import torch
from torch import Tensor


def masked_quantiles(values: Tensor, valid: Tensor, quantiles: Iterable[float]) -> list[Tensor]:
    """Return quantiles over the valid entries of each batch element.

    Linear interpolation between order statistics, equal to ``torch.quantile`` on the valid
    entries alone, but for the whole batch at once: invalid entries sort to the end and the
    rank is computed from their number, which never leaves the device.

    Args:
        values: Maps, ``(B, ...)``, floating point.
        valid: True for entries that take part, bool, shape of ``values``.
        quantiles: Positions in [0, 1].

    Returns:
        One tensor ``(B, 1, ..., 1)`` a quantile, with as many axes as ``values``; positive
        infinity where nothing is valid.
    """
    ordered = values.masked_fill(~valid, torch.inf).flatten(1).sort(dim=1).values  # (B, N)
    last = (valid.flatten(1).sum(dim=1, keepdim=True) - 1).clamp_min(0)  # (B, 1)
    shape = (len(values),) + (1,) * (values.ndim - 1)
    return [_interpolate_rank(ordered, last, q).reshape(shape) for q in quantiles]


def _interpolate_rank(ordered: Tensor, last: Tensor, quantile: float) -> Tensor:
    # float64: above 2^24 entries, float32 cannot hold a rank, let alone its fraction.
    rank = last.double() * quantile
    below = rank.floor().long()
    above = torch.minimum(below + 1, last)
    low, high = ordered.gather(1, below), ordered.gather(1, above)
    weight = (rank - below).to(ordered.dtype)
    # An infinite low (nothing valid) would make inf - inf in lerp.
    return torch.where(low.isinf(), low, torch.lerp(low, high, weight))
