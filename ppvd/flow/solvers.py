"""Solvers of the flow's ordinary differential equation, from noise to data (Eq. 4).

None of them draws a random number: equal noise gives equal samples.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ppvd.flow.times import require_descent

VelocityField = Callable[[Tensor, float], Tensor]
"""``(x_t, t) -> v_t``; the time is one Python number for the batch, so nothing synchronises."""

Solver = Callable[[VelocityField, Tensor, Sequence[float]], Tensor]
"""``(field, noise, times) -> clean``."""


def euler(field: VelocityField, noise: Tensor, times: Sequence[float]) -> Tensor:
    """Carry ``noise`` to data with one network call a step (Eq. 4).

    Args:
        field: Velocity at a sample and a time; called ``len(times) - 1`` times.
        noise: Starting point ``x_1``, ``(B, ...)``; the sample keeps its dtype throughout.
        times: Strictly decreasing from 1.0 to 0.0.

    Returns:
        Estimate of ``x_0``, shape of ``noise``.

    Raises:
        ValueError: If ``times`` does not decrease from 1.0 to 0.0.
    """
    require_descent(tuple(times))
    sample = noise
    for time, next_time in pairwise(times):
        sample = torch.add(sample, field(sample, time), alpha=next_time - time)
    return sample


def heun(field: VelocityField, noise: Tensor, times: Sequence[float]) -> Tensor:
    """Carry ``noise`` to data with the trapezoidal rule: two calls a step, second order.

    The last step is Euler's, as is customary, so the field is never asked at time 0.

    Args:
        field: Velocity at a sample and a time; called ``2 * len(times) - 3`` times.
        noise: Starting point ``x_1``, ``(B, ...)``; the sample keeps its dtype throughout.
        times: Strictly decreasing from 1.0 to 0.0.

    Returns:
        Estimate of ``x_0``, shape of ``noise``.

    Raises:
        ValueError: If ``times`` does not decrease from 1.0 to 0.0.
    """
    require_descent(tuple(times))
    sample = noise
    for time, next_time in pairwise(times):
        step = next_time - time
        slope = field(sample, time)
        guess = torch.add(sample, slope, alpha=step)
        if next_time == 0.0:
            return guess
        correction = torch.add(sample, slope, alpha=step / 2)
        sample = torch.add(correction, field(guess, next_time), alpha=step / 2)
    raise AssertionError("a descending grid ends at 0.0")


def adams_bashforth2(field: VelocityField, noise: Tensor, times: Sequence[float]) -> Tensor:
    """Carry ``noise`` to data with the velocity extrapolated from the last two calls.

    Second order at Euler's price: one call a step. Steps may differ in length.

    Args:
        field: Velocity at a sample and a time; called ``len(times) - 1`` times.
        noise: Starting point ``x_1``, ``(B, ...)``; the sample keeps its dtype throughout.
        times: Strictly decreasing from 1.0 to 0.0.

    Returns:
        Estimate of ``x_0``, shape of ``noise``.

    Raises:
        ValueError: If ``times`` does not decrease from 1.0 to 0.0.
    """
    require_descent(tuple(times))
    sample, last_slope, last_step = noise, None, 0.0
    for time, next_time in pairwise(times):
        step = next_time - time
        slope = field(sample, time)
        # The first step has no past and is Euler's.
        half_ratio = 0.0 if last_slope is None else step / (2 * last_step)
        sample = torch.add(sample, slope, alpha=step * (1 + half_ratio))
        if last_slope is not None:
            sample = torch.add(sample, last_slope, alpha=-step * half_ratio)
        last_slope, last_step = slope, step
    return sample
