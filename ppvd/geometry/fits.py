"""Scale and shift of one map onto another by least squares, in closed form."""

from dataclasses import dataclass

import torch
from torch import Tensor

# A spread below one part in a million is rounding of float32, not a slope to fit.
CONSTANT_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class AffineFit:
    """The scale and shift that carry a prediction onto the truth, in the alignment's space.

    Attributes:
        scale: Float64, ``(B, 1, ..., 1)``; negative where the prediction runs the wrong way.
        shift: Float64, shape of ``scale``.
    """

    scale: Tensor
    shift: Tensor

    @property
    def degenerate(self) -> Tensor:
        """True where the scale is not positive: a constant or reversed prediction, or no truth.

        Bool, shape of ``scale``.
        """
        return ~(self.scale > 0.0)


def fit_affine(
    source: Tensor, target: Tensor, valid: Tensor, *, weight: Tensor | None = None
) -> AffineFit:
    """Solve ``min sum w (scale * source + shift - target)^2`` over each element's valid entries.

    Args:
        source: Values to carry, float64, ``(B, ...)``.
        target: Where to, float64, shape of ``source``.
        valid: Entries that count, bool, shape of ``source``; where either map holds one value
            alone there, or there are none, the scale is 0.
        weight: ``w``, positive, float64, shape of ``source``; 1 by default.
    """
    weight = valid.double() if weight is None else weight.where(valid, 0.0)
    mass = total(weight)
    mass = mass.where(mass > 0.0, 1.0)
    source, target = source.where(valid, 0.0), target.where(valid, 0.0)
    source_mean, target_mean = total(weight * source) / mass, total(weight * target) / mass
    centred = (source - source_mean).where(valid, 0.0)
    risen = (target - target_mean).where(valid, 0.0)
    variance = total(weight * centred.square())
    covariance = total(weight * centred * risen)
    constant = _is_rounding(variance, source, weight) | _is_rounding(
        total(weight * risen.square()), target, weight
    )
    scale = torch.where(constant, 0.0, covariance / variance.where(~constant, 1.0))
    return AffineFit(scale, target_mean - scale * source_mean)


def fit_scale(
    source: Tensor, target: Tensor, valid: Tensor, *, weight: Tensor | None = None
) -> AffineFit:
    """Solve ``min sum w (scale * source - target)^2``; the shift is 0.

    Arguments as in ``fit_affine``; where the source is zero throughout, so is the scale.
    """
    weight = valid.double() if weight is None else weight.where(valid, 0.0)
    source, target = source.where(valid, 0.0), target.where(valid, 0.0)
    energy = total(weight * source.square())
    product = total(weight * source * target)
    scale = torch.where(energy == 0.0, 0.0, product / energy.where(energy != 0.0, 1.0))
    return AffineFit(scale, torch.zeros_like(scale))


def _is_rounding(spread: Tensor, values: Tensor, weight: Tensor) -> Tensor:
    return spread <= CONSTANT_SPREAD**2 * total(weight * values.square())


def total(values: Tensor) -> Tensor:
    """Sum each batch element to ``(B, 1, ..., 1)``."""
    return values.flatten(1).sum(dim=1).reshape(each(values))


def each(values: Tensor) -> tuple[int, ...]:
    """Return the shape that holds one number for each batch element."""
    return (len(values),) + (1,) * (values.ndim - 1)
