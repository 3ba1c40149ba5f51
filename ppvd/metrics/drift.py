"""Drift of scale and shift along a clip, and jumps where windows meet."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ppvd.geometry import Alignment, fit_affine, fit_scale
from ppvd.metrics.clips import ClipMeans

_LEAST_SQUARES = Alignment()


def scale_and_shift_drift(aligned: Tensor, depth: Tensor, valid: Tensor) -> dict[str, Tensor]:
    """Return how much the frames of a clip would still want to be scaled and shifted.

    Each frame is fitted to its truth by least squares in depth. ``scale_drift`` is the standard
    deviation of the frames' scales over their mean (FlashDepth's idea), the scales without a
    shift; ``shift_drift`` that of the shifts of fits with both, metres. Frames without truth
    stay out; FlashDepth gives them scale 1.

    Args:
        aligned: Predicted depth in metres after the clip's own alignment, ``(T, 1, H, W)``.
        depth: True depth in metres, same shape.
        valid: True where ``depth`` is a measurement, bool, same shape.

    Returns:
        Float64 scalars; nan with fewer than two frames that have truth.
    """
    seen = valid.flatten(1).any(dim=1)
    maps = aligned.double(), depth.double(), valid
    scale = fit_scale(*maps).scale.flatten()
    shift = fit_affine(*maps).shift.flatten()
    mean = _mean(scale, seen)
    return {"scale_drift": _spread(scale, seen) / mean, "shift_drift": _spread(shift, seen)}


def seam_jump(
    aligned: Tensor, depth: Tensor, valid: Tensor, *, first: int, step: int
) -> dict[str, Tensor]:
    """Return how much the scale jumps where windows meet, and between the other frames.

    The scale of a frame is the mean of ``log p - log g`` over the pixels valid in it and in the
    frame before it; a jump is the absolute change of that from frame to frame, so that 0.01 is
    one per cent.

    Args:
        aligned: Predicted depth in metres, positive, ``(T, 1, H, W)``.
        depth: True depth in metres, same shape.
        valid: True where ``depth`` is a measurement, bool, same shape.
        first: Frame with which the second window goes on, from 0.
        step: Frames from there to the next window, and to each after it.

    Returns:
        ``seam_jump`` and ``other_jump``, float64 scalars; nan where there is no such pair of
        frames.
    """
    both = valid[1:] & valid[:-1]
    error = aligned.double().log() - depth.double().where(valid, 1.0).log()
    change = (error[1:] - error[:-1]).where(both, 0.0).flatten(1).sum(dim=1)
    count = both.flatten(1).sum(dim=1)
    jump = (change / count.clamp_min(1)).abs()
    frame = torch.arange(1, len(aligned), device=jump.device)
    seam = (frame >= first) & ((frame - first) % step == 0)
    pairs = count > 0
    return {"seam_jump": _mean(jump, pairs & seam), "other_jump": _mean(jump, pairs & ~seam)}


def _mean(values: Tensor, kept: Tensor) -> Tensor:
    return values.where(kept, 0.0).sum() / kept.sum()


def _spread(values: Tensor, kept: Tensor) -> Tensor:
    """Standard deviation of the values kept; nan where there are fewer than two."""
    deviation = (values - _mean(values, kept)).square()
    return torch.where(kept.sum() > 1, _mean(deviation, kept), torch.nan).sqrt()


class Drift(ClipMeans):
    """``scale_and_shift_drift`` after one alignment a clip, averaged over clips.

    ``compute()`` returns ``scale_drift`` (a fraction), ``shift_drift`` (metres) and
    ``num_clips_without_pairs``.

    Args:
        alignment: How each clip is carried to metres; one fit a frame would leave no drift.
        table: As in ``ImageMeans``.
    """

    NAMES = ("scale_drift", "shift_drift")

    def __init__(self, alignment: Alignment = _LEAST_SQUARES, *, table: bool = False) -> None:
        super().__init__(alignment, self.NAMES, identity="drift", table=table)

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add whole clips ``(B, T, 1, H, W)``; arguments as in ``DepthErrors.update``."""
        self.add_clips(
            prediction,
            depth,
            valid,
            lambda index, aligned: scale_and_shift_drift(aligned, depth[index], valid[index]),
            key=key,
        )


class SeamJump(ClipMeans):
    """``seam_jump`` after one alignment a clip, averaged over clips.

    ``compute()`` returns ``seam_jump``, ``other_jump`` and ``num_clips_without_pairs``. A clip
    without a seam, or without another pair of frames to compare it with, is left out.

    Args:
        alignment: How each clip is carried to metres.
        first: Frame with which the second window goes on: the windows' length (released: 16).
        step: New frames of each further window (released: 16 less 3 keyframes).
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``first`` or ``step`` is less than 1.
    """

    NAMES = ("seam_jump", "other_jump")

    def __init__(
        self,
        alignment: Alignment = _LEAST_SQUARES,
        *,
        first: int = 16,
        step: int = 13,
        table: bool = False,
    ) -> None:
        if first < 1 or step < 1:
            raise ValueError(f"first and step must be at least 1, got {first} and {step}")
        super().__init__(alignment, self.NAMES, identity=f"{first} {step}", table=table)
        self.first = first
        self.step = step

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add whole clips ``(B, T, 1, H, W)``; arguments as in ``DepthErrors.update``."""

        def measure(index: int, aligned: Tensor) -> dict[str, Tensor]:
            truth = depth[index], valid[index]
            return seam_jump(aligned, *truth, first=self.first, step=self.step)

        self.add_clips(prediction, depth, valid, measure, key=key)
