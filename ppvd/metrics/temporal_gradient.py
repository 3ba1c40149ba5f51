"""Temporal gradient error: does depth change from frame to frame as the truth does."""

from collections.abc import Sequence

from torch import Tensor

from ppvd.geometry import Alignment
from ppvd.metrics.clips import ClipMeans

_LEAST_SQUARES = Alignment()


def temporal_gradient_error(
    aligned: Tensor, depth: Tensor, valid: Tensor, *, max_change: float | None = 0.05
) -> Tensor:
    """Return the mean of ``|(p' - p) - (g' - g)|`` over neighbouring frames, pixel by pixel.

    Pixels are compared where they lie: one that a moving edge crosses says nothing of flicker,
    so that pixels whose true depth changes by more than ``max_change`` of it are left out, as
    Video Depth Anything's temporal loss leaves them out.

    Args:
        aligned: Predicted depth in metres, ``(T, 1, H, W)``.
        depth: True depth in metres, same shape.
        valid: True where ``depth`` is a measurement, bool, same shape.
        max_change: Largest relative change of the truth that counts; ``None`` for all.

    Returns:
        Metres a frame, float64 scalar; nan for a single frame or where nothing counts.
    """
    p, g = aligned.double(), depth.double().where(valid, 1.0)
    both = valid[1:] & valid[:-1]
    change = g[1:] - g[:-1]
    if max_change is not None:
        both = both & (change.abs() <= max_change * g[:-1])
    error = (p[1:] - p[:-1] - change).abs()
    return error.where(both, 0.0).sum() / both.sum()


class TemporalGradientError(ClipMeans):
    """``temporal_gradient_error`` after one alignment a clip, averaged over clips.

    ``compute()`` returns ``temporal_gradient`` in metres a frame, and ``num_clips_without_pairs``.

    Args:
        alignment: How each clip is carried to metres.
        max_change: As in ``temporal_gradient_error``.
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``max_change`` is not positive.
    """

    NAMES = ("temporal_gradient",)

    def __init__(
        self,
        alignment: Alignment = _LEAST_SQUARES,
        *,
        max_change: float | None = 0.05,
        table: bool = False,
    ) -> None:
        if max_change is not None and not max_change > 0.0:
            raise ValueError(f"max_change must be positive or None, got {max_change}")
        super().__init__(alignment, self.NAMES, identity=f"{max_change}", table=table)
        self.max_change = max_change

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
            error = temporal_gradient_error(aligned, *truth, max_change=self.max_change)
            return {"temporal_gradient": error}

        self.add_clips(prediction, depth, valid, measure, key=key)
