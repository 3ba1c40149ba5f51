"""Mixing sources by weight."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def draw_sources(
    weights: Mapping[str, float], num_draws: int, *, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Return which source each draw of an epoch comes from, in an order of chance.

    Each source is drawn in exact proportion (up to rounding), not merely on average, and just as
    often in every epoch; only the order is random. A source that is small is read again and again,
    so none ever ends the mixture.

    Args:
        weights: Weight by source; only their proportion matters.
        num_draws: Draws of the epoch.
        seed: Seed of the run.
        epoch: Number of the epoch.

    Returns:
        Positions in ``weights``, ``(num_draws,)``.

    Raises:
        ValueError: If a weight is not positive and finite, or too small to be drawn once.
    """
    counts = _apportion(weights, num_draws)
    draws = np.repeat(np.arange(len(weights)), counts)
    return np.random.default_rng([seed, epoch]).permutation(draws)


def _apportion(weights: Mapping[str, float], num_draws: int) -> NDArray[np.int64]:
    """Round the sources' shares to whole draws that add up (largest remainders go up)."""
    for name, weight in weights.items():
        if not 0 < weight < float("inf"):
            raise ValueError(f"weight of source {name!r} must be positive and finite, got {weight}")
    shares = np.array(list(weights.values()), dtype=np.float64)
    shares *= num_draws / shares.sum()
    counts = np.floor(shares).astype(np.int64)
    remainders = np.argsort(counts - shares, kind="stable")
    counts[remainders[: num_draws - counts.sum()]] += 1
    for name, count in zip(weights, counts, strict=True):
        if count < 1:
            raise ValueError(
                f"weight of source {name!r} must give it at least one of the {num_draws} samples of"
                f" an epoch, got {weights[name]}: raise the weight or samples_per_epoch"
            )
    return counts
