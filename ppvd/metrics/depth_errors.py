"""Depth errors after a named alignment."""

from torch import Tensor

from ppvd.geometry import Alignment
from ppvd.metrics.means import ImageMeans

DELTA = 1.25
_RELEASED_ALIGNMENT = Alignment()


def depth_errors(
    aligned: Tensor, depth: Tensor, valid: Tensor, *, eps: float = 0.0
) -> dict[str, Tensor]:
    """Return the errors of each image over its valid pixels.

    With prediction ``p`` and truth ``g``: ``abs_rel`` is the mean of ``|p - g| / g``, ``sq_rel``
    of ``(p - g)^2 / g``, ``log10`` of ``|log10 p - log10 g|``; ``rmse`` and ``rmse_log`` (natural)
    are roots of mean squares; ``deltaK`` is the share of pixels with
    ``max(p / g, g / p) < 1.25^K``, and ``delta_half`` has K = 0.5 (released evaluation).
    Fractions and metres, not percent.

    Args:
        aligned: Predicted depth in metres, positive, ``(B, 1, H, W)``.
        depth: True depth in metres, same shape.
        valid: Pixels that count, bool, same shape.
        eps: Added to the denominators of ``abs_rel`` and of both ratios: 1e-5 in the released
            evaluation, nothing in most others.

    Returns:
        Name to float64 ``(B,)``; nan for images without a valid pixel.
    """
    p, g = aligned.double().where(valid, 1.0), depth.double().where(valid, 1.0)
    count = valid.flatten(1).sum(dim=1)

    def mean(values: Tensor) -> Tensor:
        return values.double().where(valid, 0.0).flatten(1).sum(dim=1) / count

    ratio = (g / (p + eps)).maximum(p / (g + eps))
    return {
        "abs_rel": mean((p - g).abs() / (g + eps)),
        "sq_rel": mean((p - g).square() / g),
        "rmse": mean((p - g).square()).sqrt(),
        "rmse_log": mean((p.log() - g.log()).square()).sqrt(),
        "log10": mean((p.log10() - g.log10()).abs()),
        "delta_half": mean(ratio < DELTA**0.5),
        "delta1": mean(ratio < DELTA),
        "delta2": mean(ratio < DELTA**2),
        "delta3": mean(ratio < DELTA**3),
    }


class DepthErrors(ImageMeans):
    """AbsRel, delta1 to delta3 and their kin after an alignment, averaged over images.

    ``compute()`` returns ``depth_errors``'s names and ``num_without_truth``, the number of
    images left out because they have fewer than ``min_pixels`` valid pixels.

    Args:
        alignment: How each prediction is carried to metres before it is compared.
        eps: As in ``depth_errors``.
        min_pixels: Fewer valid pixels than this say nothing after a fit of two numbers (one
            pixel is always matched perfectly). 10 follows Depth Anything V2's evaluation.

    Raises:
        ValueError: If ``eps`` is negative or ``min_pixels`` less than 1.
    """

    NAMES = (
        "abs_rel",
        "sq_rel",
        "rmse",
        "rmse_log",
        "log10",
        "delta_half",
        "delta1",
        "delta2",
        "delta3",
    )

    def __init__(
        self,
        alignment: Alignment = _RELEASED_ALIGNMENT,
        *,
        eps: float = 0.0,
        min_pixels: int = 10,
    ) -> None:
        if not eps >= 0.0:
            raise ValueError(f"eps must be at least 0, got {eps}")
        if min_pixels < 1:
            raise ValueError(f"min_pixels must be at least 1, got {min_pixels}")
        super().__init__(
            self.NAMES,
            skipped_name="num_without_truth",
            identity=f"{alignment} {eps} {min_pixels}",
        )
        self.alignment = alignment
        self.eps = eps
        self.min_pixels = min_pixels

    def update(self, prediction: Tensor, depth: Tensor, valid: Tensor) -> None:
        """Add a batch of images, or of clips: one alignment a clip, each frame an image.

        Args:
            prediction: Unaligned, affine in the alignment's space, ``(B, [T,] 1, H, W)``.
            depth: True depth in metres, same shape.
            valid: True where ``depth`` is a measurement, bool, same shape.
        """
        aligned = self.alignment(prediction, depth, valid)
        aligned, depth, valid = (maps.flatten(0, -4) for maps in (aligned, depth, valid))
        counts = valid.flatten(1).sum(dim=1) >= self.min_pixels
        self.add(depth_errors(aligned, depth, valid, eps=self.eps), counts)
