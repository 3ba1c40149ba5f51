"""Which neighbouring pixels of a depth map lie on one surface."""

import torch
from torch import Tensor

# A steeper step than max_gap, up to this multiple of it, still lies on one surface if the steps
# before and after it go on alike: a plane seen at a grazing angle (ours).
MAX_SLANT = 5.0
# How much of a step the steps before and after it may differ by (ours).
SLANT_TOLERANCE = 1.0 / 3.0


def joined_pairs(depth: Tensor, *, max_gap: float, relative: bool) -> tuple[Tensor, Tensor]:
    """Tell which pixels continue the surface of the next one in their row, and in their column.

    Two neighbours are joined if their gap is at most ``max_gap``; or at most ``MAX_SLANT`` times
    that, and the steps on both sides of theirs (on one, at the border) differ from it by at most
    a third. Steps are taken in inverse depth, in which planes are straight, or in codes as they
    are.

    Args:
        depth: Maps ``(B, 1, H, W)``: metres, or codes with ``relative=False``.
        max_gap: Largest step within one surface.
        relative: Gap as ``max(a, b) / min(a, b) - 1``; else as ``|a - b|``.

    Returns:
        For each pixel, whether it is joined to the one on its right, and to the one below it,
        bool, each of the shape of ``depth``; true in the last column, or row.
    """
    across = _joined_across(depth, max_gap, relative=relative)
    down = _joined_across(depth.transpose(-1, -2), max_gap, relative=relative)
    return across, down.transpose(-1, -2)


def _joined_across(depth: Tensor, max_gap: float, *, relative: bool) -> Tensor:
    left, right = depth[..., :-1], depth[..., 1:]
    joined = _within(left, right, max_gap, relative=relative)
    slanted = _within(left, right, MAX_SLANT * max_gap, relative=relative)
    joined = joined | (slanted & _goes_on(depth.reciprocal() if relative else depth))
    return torch.cat([joined, torch.ones_like(depth[..., :1], dtype=torch.bool)], dim=-1)


def _within(first: Tensor, second: Tensor, gap: float, *, relative: bool) -> Tensor:
    if not relative:
        return (first - second).abs() <= gap
    return torch.maximum(first, second) <= torch.minimum(first, second) * (1.0 + gap)


def _goes_on(values: Tensor) -> Tensor:
    """Tell where the step to the next value resembles the steps before and after it."""
    step = values.diff(dim=-1)  # (..., W - 1)
    if step.shape[-1] < 2:
        return torch.zeros_like(step, dtype=torch.bool)
    bend, limit = step.diff(dim=-1).abs(), SLANT_TOLERANCE * step.abs()
    after, before = bend <= limit[..., :-1], bend <= limit[..., 1:]
    # The first step has none before it and the last none after it: the other side decides.
    before = torch.cat([after[..., :1], before], dim=-1)
    after = torch.cat([after, before[..., -1:]], dim=-1)
    return before & after
