"""Boundary F1: do steps in depth between neighbours occur where they truly are."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ppvd.geometry import Alignment
from ppvd.metrics.depth_errors import frame_keys
from ppvd.metrics.means import ImageMeans

# Ratios of depth that make a boundary, each weighted by itself (both sources); MoGe's thresholds
# are these less one, and so are its weights.
THRESHOLDS = np.linspace(1.05, 1.25, 10)
DISC_THRESHOLDS = np.linspace(0.05, 0.25, 10)
# Depth Pro's floor of depth when it is inverted, metres.
MIN_DEPTH_M = 1e-6
_LEAST_SQUARES = Alignment()
# How many times farther, or nearer, the second pixel of each pair is, as predicted and as it
# truly is, and which pairs count.
Pair = tuple[Tensor, Tensor, Tensor]


def boundary_f1(prediction: Tensor, depth: Tensor, valid: Tensor) -> Tensor:
    """Return Depth Pro's scale-invariant boundary F1 of each image.

    A pair of neighbours is a boundary if one is farther by more than a ratio. For each of ten
    ratios and four directions, precision and recall of the predicted boundaries are taken, averaged
    over directions, and joined to F1; the mean over ratios is weighted by them.

    Args:
        prediction: Depth up to scale, ``(B, 1, H, W)``.
        depth: True depth in metres, same shape.
        valid: Pixels that count, bool, same shape: pairs with both ends valid are judged. Theirs
            knows no mask: an invalid pixel with depth 0 lies at infinity, and its border is a
            boundary; pass zeros and a full mask for that.

    Returns:
        Float64 ``(B,)``; 0 without a boundary that is found, nan where the prediction is not
        finite.
    """
    counts = torch.stack(
        [_hits(pair, THRESHOLDS) for pair in _neighbours(prediction, depth, valid)]
    )
    both, found, true = counts.unbind(dim=1)  # (directions, B, thresholds) each
    precision, recall = (both / each.clamp_min(1.0) for each in (found, true))
    return _weighted_mean(
        _f1(precision.mean(dim=0), recall.mean(dim=0)), THRESHOLDS, prediction, valid
    )


def disc_boundary_f1(
    prediction: Tensor, depth: Tensor, valid: Tensor, *, radius: int = 1
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

    Returns:
        Float64 ``(B,)``; 0 without a boundary that is found, nan where the prediction is not
        finite.

    Raises:
        ValueError: If ``radius`` is not at least 1.
    """
    if radius < 1:
        raise ValueError(f"radius must be at least 1 pixel, got {radius}")
    counts = torch.stack(
        [_hits(pair, 1.0 + DISC_THRESHOLDS) for pair in _disc(prediction, depth, valid, radius)]
    )
    both, found, true = counts.sum(dim=0).unbind()  # (B, thresholds) each
    score = _f1(both / found.clamp_min(1.0), both / true.clamp_min(1.0))
    return _weighted_mean(score, DISC_THRESHOLDS, prediction, valid)


class BoundaryF1(ImageMeans):
    """``boundary_f1`` after an alignment, averaged over images.

    ``compute()`` returns ``boundary_f1`` and ``num_without_truth``, the images left out because
    nothing in them is valid. An image without a true boundary scores 0, as in the source.

    Args:
        alignment: How each prediction is carried to metres; a shift changes ratios of depth.
        table: As in ``ImageMeans``.
    """

    NAMES = ("boundary_f1",)

    def __init__(self, alignment: Alignment = _LEAST_SQUARES, *, table: bool = False) -> None:
        super().__init__(
            self.NAMES, skipped_name="num_without_truth", identity=f"{alignment}", table=table
        )
        self.alignment = alignment

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips; arguments as in ``DepthErrors.update``."""
        aligned = self.alignment(prediction, depth, valid)
        maps = [values.flatten(0, -4) for values in (aligned, depth, valid)]
        counts = maps[2].flatten(1).any(dim=1)
        self.add({"boundary_f1": boundary_f1(*maps)}, counts, key=frame_keys(key, prediction))


class DiscBoundaryF1(ImageMeans):
    """``disc_boundary_f1`` after an alignment, averaged over images.

    ``compute()`` returns ``disc_boundary_f1`` and ``num_without_truth``, as in ``BoundaryF1``.

    Args:
        alignment: How each prediction is carried to metres.
        radius: As in ``disc_boundary_f1``.
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``radius`` is not at least 1.
    """

    NAMES = ("disc_boundary_f1",)

    def __init__(
        self, alignment: Alignment = _LEAST_SQUARES, *, radius: int = 1, table: bool = False
    ) -> None:
        if radius < 1:
            raise ValueError(f"radius must be at least 1 pixel, got {radius}")
        super().__init__(
            self.NAMES,
            skipped_name="num_without_truth",
            identity=f"{alignment} {radius}",
            table=table,
        )
        self.alignment = alignment
        self.radius = radius

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips; arguments as in ``DepthErrors.update``."""
        aligned = self.alignment(prediction, depth, valid)
        maps = [values.flatten(0, -4) for values in (aligned, depth, valid)]
        values = {"disc_boundary_f1": disc_boundary_f1(*maps, radius=self.radius)}
        counts = maps[2].flatten(1).any(dim=1)
        self.add(values, counts, key=frame_keys(key, prediction))


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


def _weighted_mean(
    score: Tensor, thresholds: NDArray[np.float64], prediction: Tensor, valid: Tensor
) -> Tensor:
    """Average ``(B, K)`` over thresholds weighted by themselves; nan for broken predictions."""
    weight = score.new_tensor(thresholds / thresholds.sum())
    broken = (valid & ~prediction.isfinite()).flatten(1).any(dim=1)
    return (score @ weight).masked_fill(broken, torch.nan)
