"""Boundary F1 of depth maps: do steps between neighbours occur where they truly are."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Ratios of depth that make a boundary, each weighted by itself (both sources); MoGe's thresholds
# are these less one, and so are its weights.
THRESHOLDS = np.linspace(1.05, 1.25, 10)
DISC_THRESHOLDS = np.linspace(0.05, 0.25, 10)
# Depth Pro's floor of depth when it is inverted, metres.
MIN_DEPTH_M = 1e-6
# How many times farther, or nearer, the second pixel of each pair is, as predicted and as it
# truly is, and which pairs count.
Pair = tuple[Tensor, Tensor, Tensor]


def boundary_f1(
    prediction: Tensor, depth: Tensor, valid: Tensor, *, parity: bool = False
) -> Tensor:
    """Return Depth Pro's scale-invariant boundary F1 of each image.

    A pair of neighbours is a boundary if one is farther by more than a ratio. For each of ten
    ratios and four directions, precision and recall of the predicted boundaries are taken,
    averaged over directions, and joined to F1; the mean over ratios is weighted by them.
    Directions without a boundary have no precision, or recall, and ratios that no true boundary
    reaches no F1; both stay out of the means.

    Args:
        prediction: Depth up to scale, ``(B, 1, H, W)``.
        depth: True depth in metres, same shape.
        valid: Pixels that count, bool, same shape: pairs with both ends valid are judged.
        parity: As in Depth Pro's code, which knows no mask, invalid pixels of the truth lie at
            depth 0, and their border is a boundary; and what has no precision, recall or F1
            counts as 0 (one vertical step, found exactly, scores 0.25).

    Returns:
        Float64 ``(B,)``; nan without a true boundary (with parity: 0), or where the prediction
        is not finite.
    """
    if parity:
        depth, valid = depth.where(valid, 0.0), torch.ones_like(valid)
    pairs = _neighbours(prediction, depth, valid)
    counts = torch.stack([_hits(pair, THRESHOLDS) for pair in pairs])
    both, found, true = counts.unbind(dim=1)  # (directions, B, thresholds) each
    precision, recall = (_mean_share(both, of, parity=parity) for of in (found, true))
    score = _f1(precision, recall)
    return _weighted_mean(score, THRESHOLDS, true.sum(dim=0), prediction, valid, parity=parity)


def disc_boundary_f1(
    prediction: Tensor, depth: Tensor, valid: Tensor, *, radius: int = 1, parity: bool = False
) -> Tensor:
    """Return MoGe's boundary F1 of each image.

    As ``boundary_f1``, but a pixel is compared with all within ``radius`` of it, boundaries are
    judged in one direction only, from near to far, and all neighbours together; a border as wide
    as the radius has no centres.

    Args:
        prediction: Aligned depth, ``(B, 1, H, W)``.
        depth: True depth in metres, same shape.
        valid: Pixels that count, bool, same shape: pairs with both ends valid are judged.
        radius: Of the disc, pixels; MoGe reports 1, 2 and 3.
        parity: Ratios that no true boundary reaches count as 0, as in MoGe's code.

    Returns:
        Float64 ``(B,)``; nan without a true boundary (with parity: 0), or where the prediction
        is not finite.

    Raises:
        ValueError: If ``radius`` is not at least 1.
    """
    if radius < 1:
        raise ValueError(f"radius must be at least 1 pixel, got {radius}")
    pairs = _disc(prediction, depth, valid, radius)
    counts = torch.stack([_hits(pair, 1.0 + DISC_THRESHOLDS) for pair in pairs])
    both, found, true = counts.sum(dim=0).unbind()  # (B, thresholds) each
    score = _f1(both / found.clamp_min(1.0), both / true.clamp_min(1.0))
    return _weighted_mean(score, DISC_THRESHOLDS, true, prediction, valid, parity=parity)


def _neighbours(prediction: Tensor, depth: Tensor, valid: Tensor) -> Iterator[Pair]:
    """Yield how much nearer each pixel is than its neighbour, in four directions."""
    inverse = [values.clamp_min(MIN_DEPTH_M).reciprocal() for values in (prediction, depth)]
    for dim in (-1, -2):
        size = valid.shape[dim] - 1
        ends = [(m.narrow(dim, 1, size), m.narrow(dim, 0, size)) for m in (*inverse, valid)]
        (p, p_before), (g, g_before), (seen, seen_before) = ends
        both = seen & seen_before
        yield p / p_before, g / g_before, both
        yield p_before / p, g_before / g, both


def _disc(prediction: Tensor, depth: Tensor, valid: Tensor, radius: int) -> Iterator[Pair]:
    """Yield how much farther each neighbour in a disc is than the pixel at its centre."""
    height, width = (side - 2 * radius for side in valid.shape[-2:])
    depth = depth.where(valid, 1.0)
    side = range(2 * radius + 1)

    def window(maps: Tensor, top: int, left: int) -> Tensor:
        return maps[..., top : top + max(height, 0), left : left + max(width, 0)]

    for top in side:
        for left in side:
            if (top - radius) ** 2 + (left - radius) ** 2 > radius**2:
                continue
            p, g, seen = (window(maps, top, left) for maps in (prediction, depth, valid))
            centre_p, centre_g, centre_seen = (
                window(maps, radius, radius) for maps in (prediction, depth, valid)
            )
            yield p / centre_p, g / centre_g, seen & centre_seen


def _hits(pair: Pair, thresholds: NDArray[np.float64]) -> Tensor:
    """Count boundaries in both maps, in the prediction and in the truth, ``(3, B, K)``."""
    p, g, seen = (values.flatten(1) for values in pair)
    rows = []
    for threshold in thresholds:
        found, true = (p.double() > threshold) & seen, (g.double() > threshold) & seen
        rows.append(torch.stack([(found & true).sum(dim=1), found.sum(dim=1), true.sum(dim=1)]))
    return torch.stack(rows, dim=-1).double()


def _f1(precision: Tensor, recall: Tensor) -> Tensor:
    total = precision + recall
    return 2.0 * precision * recall / total.where(total > 0.0, 1.0)


def _mean_share(both: Tensor, of: Tensor, *, parity: bool) -> Tensor:
    """Average ``both / of`` over directions, ``(B, K)``."""
    share = both / of.clamp_min(1.0)
    return share.mean(dim=0) if parity else share.sum(dim=0) / (of > 0.0).sum(dim=0).clamp_min(1)


def _weighted_mean(
    score: Tensor,
    thresholds: NDArray[np.float64],
    true: Tensor,
    prediction: Tensor,
    valid: Tensor,
    *,
    parity: bool,
) -> Tensor:
    """Average ``(B, K)`` over thresholds weighted by themselves; nan for broken predictions."""
    weight = score.new_tensor(thresholds).expand_as(score)
    weight = weight if parity else weight.where(true > 0.0, 0.0)
    broken = broken_images(prediction, valid)
    mean: Tensor = (score * weight).sum(dim=1) / weight.sum(dim=1)
    return mean.masked_fill(broken, torch.nan)


def broken_images(prediction: Tensor, valid: Tensor) -> Tensor:
    """Tell which images have a prediction that is not finite, bool, ``(B,)``."""
    return (valid & ~prediction.isfinite()).flatten(1).any(dim=1)
