"""Depth errors after a named alignment."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ppvd.geometry import Alignment
from ppvd.geometry.parts import in_parts
from ppvd.metrics.means import ImageMeans, Reduction

DELTA = 1.25
NAMES = (
    "abs_rel",
    "sq_rel",
    "rmse",
    "rmse_log",
    "log10",
    "silog",
    "delta_half",
    "delta1",
    "delta2",
    "delta3",
)
# What is averaged over pixels; the results follow from these means.
MOMENTS = (
    "abs_rel",
    "sq_rel",
    "square",
    "log_square",
    "log",
    "log10",
    "delta_half",
    "delta1",
    "delta2",
    "delta3",
)
_RELEASED_ALIGNMENT = Alignment()


def depth_errors(
    aligned: Tensor, depth: Tensor, valid: Tensor, *, eps: float = 0.0
) -> dict[str, Tensor]:
    """Return the errors of each image over its valid pixels.

    With prediction ``p`` and truth ``g``: ``abs_rel`` is the mean of ``|p - g| / g``, ``sq_rel``
    of ``(p - g)^2 / g``, ``log10`` of ``|log10 p - log10 g|``; ``rmse`` and ``rmse_log`` (natural)
    are roots of mean squares, and ``silog`` is ``rmse_log`` without the part that one factor on
    the whole image explains, the standard deviation of ``log p - log g`` (Marigold prints it
    times 100); ``deltaK`` is the share of pixels with ``max(p / g, g / p) < 1.25^K``, and
    ``delta_half`` has K = 0.5 (released evaluation). Fractions and metres, not percent.

    Args:
        aligned: Predicted depth in metres, positive, ``(B, 1, H, W)``.
        depth: True depth in metres, same shape.
        valid: Pixels that count, bool, same shape.
        eps: Added to the denominators of ``abs_rel`` and of both ratios: 1e-5 in the released
            evaluation, nothing in most others.

    Returns:
        Name to float64 ``(B,)``; nan for images without a valid pixel.
    """
    return errors_from_moments(error_moments(aligned, depth, valid, eps=eps))


def error_moments(
    aligned: Tensor, depth: Tensor, valid: Tensor, *, eps: float = 0.0
) -> dict[str, Tensor]:
    """Return the means over valid pixels from which ``depth_errors`` follow.

    Arguments and result as there, names as in ``MOMENTS``. A few images are in float64 at a time.
    """
    parts = [_moments(*part, eps=eps) for part in in_parts(aligned, depth, valid)]
    return {name: torch.cat([part[name] for part in parts]) for name in MOMENTS}


def _moments(aligned: Tensor, depth: Tensor, valid: Tensor, *, eps: float) -> dict[str, Tensor]:
    p, g = aligned.double().where(valid, 1.0), depth.double().where(valid, 1.0)
    count = valid.flatten(1).sum(dim=1)

    def mean(values: Tensor) -> Tensor:
        return values.double().where(valid, 0.0).flatten(1).sum(dim=1) / count

    ratio = (g / (p + eps)).maximum(p / (g + eps))
    return {
        "abs_rel": mean((p - g).abs() / (g + eps)),
        "sq_rel": mean((p - g).square() / g),
        "square": mean((p - g).square()),
        "log_square": mean((p.log() - g.log()).square()),
        "log": mean(p.log() - g.log()),
        "log10": mean((p.log10() - g.log10()).abs()),
        "delta_half": mean(ratio < DELTA**0.5),
        "delta1": mean(ratio < DELTA),
        "delta2": mean(ratio < DELTA**2),
        "delta3": mean(ratio < DELTA**3),
    }


def errors_from_moments(moments: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what ``depth_errors`` returns from the means of ``error_moments``."""
    variance = moments["log_square"] - moments["log"].square()
    roots = {
        "rmse": moments["square"].sqrt(),
        "rmse_log": moments["log_square"].sqrt(),
        "silog": variance.clamp_min(0.0).sqrt(),
    }
    found = moments | roots
    return {name: found[name] for name in NAMES}


class DepthErrors(ImageMeans):
    """AbsRel, delta1 to delta3 and their kin after an alignment, averaged over images.

    ``compute()`` returns ``depth_errors``'s names; ``num_without_truth``, the number of images
    left out because they have fewer than ``min_pixels`` valid pixels; and
    ``num_degenerate_fits``, the number of images that count although their alignment has no
    positive scale: a constant prediction or truth, or a prediction that runs the wrong way.

    Args:
        alignment: How each prediction is carried to metres before it is compared.
        eps: As in ``depth_errors``.
        min_pixels: Fewer valid pixels than this say nothing after a fit of two numbers (one
            pixel is always matched perfectly). 10 follows Depth Anything V2's evaluation.
        reduction: The mean of the images' errors (most evaluations); ``"pixel_pool"``, errors
            over the pixels of all images together (CUT3R); or ``"none"``, each image's, see
            ``ImageMeans``.

    Raises:
        ValueError: If ``eps`` is negative, ``min_pixels`` less than 1 or ``reduction`` unknown.
    """

    NAMES = NAMES

    def __init__(
        self,
        alignment: Alignment = _RELEASED_ALIGNMENT,
        *,
        eps: float = 0.0,
        min_pixels: int = 10,
        reduction: Reduction = "image_mean",
    ) -> None:
        if not eps >= 0.0:
            raise ValueError(f"eps must be at least 0, got {eps}")
        if min_pixels < 1:
            raise ValueError(f"min_pixels must be at least 1, got {min_pixels}")
        if reduction not in ("image_mean", "pixel_pool", "none"):
            raise ValueError(f"reduction must be image_mean, pixel_pool or none, got {reduction!r}")
        super().__init__(
            MOMENTS if reduction == "pixel_pool" else NAMES,
            skipped_name="num_without_truth",
            identity=f"{alignment} {eps} {min_pixels} {reduction}",
            counters=("num_degenerate_fits",),
            table=reduction == "none",
        )
        self.alignment = alignment
        self.eps = eps
        self.min_pixels = min_pixels
        self.reduction: Reduction = reduction

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips: one alignment a clip, each frame an image.

        Args:
            prediction: Unaligned, affine in the alignment's space, ``(B, [T,] 1, H, W)``.
            depth: True depth in metres, same shape.
            valid: True where ``depth`` is a measurement, bool, same shape.
            key: Names of the images, or clips, for the table.
        """
        fit = self.alignment.fit(prediction, depth, valid)
        aligned = self.alignment.apply(fit, prediction, depth, valid)
        degenerate = fit.degenerate.expand(*prediction.shape[:-3], 1, 1, 1).flatten()
        key = frame_keys(key, prediction)
        aligned, depth, valid = (maps.flatten(0, -4) for maps in (aligned, depth, valid))
        moments = error_moments(aligned, depth, valid, eps=self.eps)
        pixels = valid.flatten(1).sum(dim=1)
        counts = pixels >= self.min_pixels
        pooled = self.reduction == "pixel_pool"
        self.add(
            moments if pooled else errors_from_moments(moments),
            counts,
            weight=pixels if pooled else None,
            flags={"num_degenerate_fits": degenerate & counts},
            key=key,
        )

    def finish(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the errors that follow from the pooled means; images' means as they are."""
        return errors_from_moments(means) if self.reduction == "pixel_pool" else means


def frame_keys(key: Sequence[str] | None, maps: Tensor) -> Sequence[str] | None:
    """Return one key for each map of ``(B, [T,] 1, H, W)``: a clip's with the frame's number."""
    if key is None or maps.ndim == 4:
        return key
    return [f"{one}-{frame:05d}" for one in key for frame in range(maps.shape[1])]
