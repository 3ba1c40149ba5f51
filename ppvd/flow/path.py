"""The straight path between data and noise, and the ways to read it (section III-B)."""

import torch
from torch import Tensor

MIN_TIME = 0.05
"""Smallest time a velocity is divided by, ours; the customary floor of clean-sample networks."""


def interpolate(clean: Tensor, noise: Tensor, time: Tensor | float) -> Tensor:
    """Return the point at ``time`` on the straight path from ``clean`` to ``noise`` (Eq. 1).

    Args:
        clean: Data sample ``x_0``, ``(B, ...)``.
        noise: Standard normal sample ``x_1``, shape of ``clean``.
        time: Path time in [0, 1], 0 is data and 1 is noise, ``(B,)`` or one number for all.

    Returns:
        Noisy sample ``x_t``, shape of ``clean``.
    """
    time = _over_samples(time, clean)
    return time * noise + (1 - time) * clean


def velocity(clean: Tensor, noise: Tensor) -> Tensor:
    """Return the constant velocity ``x_1 - x_0`` of the path from data to noise (Eq. 2).

    Args:
        clean: Data sample ``x_0``, ``(B, ...)``.
        noise: Standard normal sample ``x_1``, shape of ``clean``.
    """
    return noise - clean


def clean_from_velocity(noisy: Tensor, velocity: Tensor, time: Tensor | float) -> Tensor:
    """Return the data end of the straight line through ``noisy`` (Eq. 1 and 2 solved for x_0).

    Args:
        noisy: Point ``x_t`` on the path, ``(B, ...)``.
        velocity: Velocity ``v_t`` there, shape of ``noisy``.
        time: Path time in [0, 1], ``(B,)`` or one number for all.
    """
    return noisy - _over_samples(time, noisy) * velocity


def noise_from_velocity(noisy: Tensor, velocity: Tensor, time: Tensor | float) -> Tensor:
    """Return the noise end of the straight line through ``noisy`` (Eq. 1 and 2 solved for x_1).

    Args:
        noisy: Point ``x_t`` on the path, ``(B, ...)``.
        velocity: Velocity ``v_t`` there, shape of ``noisy``.
        time: Path time in [0, 1], ``(B,)`` or one number for all.
    """
    return noisy + (1 - _over_samples(time, noisy)) * velocity


def velocity_from_clean(
    noisy: Tensor, clean: Tensor, time: Tensor | float, *, min_time: float = MIN_TIME
) -> Tensor:
    """Return the velocity of the straight line from ``clean`` through ``noisy``.

    ``(x_t - x_0) / max(t, min_time)``; the floor bounds the weight that a velocity loss
    lays on a clean sample to ``1 / min_time**2``.

    Args:
        noisy: Point ``x_t`` on the path, ``(B, ...)``.
        clean: Data end ``x_0`` of the line, shape of ``noisy``.
        time: Path time in [0, 1], ``(B,)`` or one number for all.
        min_time: Floor of the divisor, above 0.
    """
    return (noisy - clean) / _over_samples(time, noisy).clamp(min=min_time)


def _over_samples(time: Tensor | float, like: Tensor) -> Tensor:
    """Shape ``time`` so that it broadcasts over the samples of ``like``, ``(B, 1, ...)``."""
    if not isinstance(time, Tensor):
        return torch.full((), time, dtype=like.dtype, device=like.device)
    return time.reshape(-1, *[1] * (like.ndim - 1))
