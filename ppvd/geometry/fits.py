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


@dataclass(frozen=True, slots=True)
class Moments:
    """Weighted moments of pairs of values: all that a fit by least squares needs of them.

    Those of two parts add up to those of both together (Chan, Golub and LeVeque's update), so that
    a long video is fitted without float64 copies of the whole of it.

    Attributes:
        mass: Sum of the weights, float64, ``(B, 1, ..., 1)`` as all others.
        source_mean: Mean of the values to carry; 0 without mass.
        target_mean: Mean of where to.
        source_spread: Weighted sum of squares around the mean.
        target_spread: The same of where to.
        product: Weighted sum of products around the means.
    """

    mass: Tensor
    source_mean: Tensor
    target_mean: Tensor
    source_spread: Tensor
    target_spread: Tensor
    product: Tensor

    def __add__(self, other: "Moments") -> "Moments":
        """Return the moments of both parts together."""
        mass = self.mass + other.mass
        share = other.mass / _or_one(mass)
        source_step = other.source_mean - self.source_mean
        target_step = other.target_mean - self.target_mean
        between = self.mass * share
        return Moments(
            mass,
            self.source_mean + share * source_step,
            self.target_mean + share * target_step,
            self.source_spread + other.source_spread + between * source_step.square(),
            self.target_spread + other.target_spread + between * target_step.square(),
            self.product + other.product + between * source_step * target_step,
        )

    @property
    def source_energy(self) -> Tensor:
        """Weighted sum of squares of the values to carry."""
        return self.source_spread + self.mass * self.source_mean.square()

    @property
    def source_constant(self) -> Tensor:
        """True where the values to carry differ by rounding alone, bool."""
        return self.source_spread <= CONSTANT_SPREAD**2 * self.source_energy

    @property
    def target_constant(self) -> Tensor:
        """True where the values to be met differ by rounding alone, bool."""
        energy = self.target_spread + self.mass * self.target_mean.square()
        return self.target_spread <= CONSTANT_SPREAD**2 * energy

    def line(self) -> AffineFit:
        """Return the scale and shift of least squares; scale 0 where either side is constant."""
        constant = self.source_constant | self.target_constant
        slope = self.product / self.source_spread.where(~constant, 1.0)
        scale = torch.where(constant, 0.0, slope)
        return AffineFit(scale, self.target_mean - scale * self.source_mean)

    def factor(self) -> AffineFit:
        """Return the scale of least squares without a shift; 0 where the source is all zero."""
        energy = self.source_energy
        product = self.product + self.mass * self.source_mean * self.target_mean
        scale = torch.where(energy == 0.0, 0.0, product / energy.where(energy != 0.0, 1.0))
        return AffineFit(scale, torch.zeros_like(scale))


def moments(
    source: Tensor, target: Tensor, valid: Tensor, *, weight: Tensor | None = None
) -> Moments:
    """Return the moments of each element's valid entries; arguments as in ``fit_affine``."""
    weight = valid.double() if weight is None else weight.where(valid, 0.0)
    mass = total(weight)
    source, target = source.where(valid, 0.0), target.where(valid, 0.0)
    source_mean = total(weight * source) / _or_one(mass)
    target_mean = total(weight * target) / _or_one(mass)
    centred = (source - source_mean).where(valid, 0.0)
    risen = (target - target_mean).where(valid, 0.0)
    return Moments(
        mass,
        source_mean,
        target_mean,
        total(weight * centred.square()),
        total(weight * risen.square()),
        total(weight * centred * risen),
    )


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
    return moments(source, target, valid, weight=weight).line()


def fit_scale(
    source: Tensor, target: Tensor, valid: Tensor, *, weight: Tensor | None = None
) -> AffineFit:
    """Solve ``min sum w (scale * source - target)^2``; the shift is 0.

    Arguments as in ``fit_affine``; where the source is zero throughout, so is the scale.
    """
    return moments(source, target, valid, weight=weight).factor()


def _or_one(mass: Tensor) -> Tensor:
    return mass.where(mass > 0.0, 1.0)


def total(values: Tensor) -> Tensor:
    """Sum each batch element to ``(B, 1, ..., 1)``."""
    return values.flatten(1).sum(dim=1).reshape(each(values))


def each(values: Tensor) -> tuple[int, ...]:
    """Return the shape that holds one number for each batch element."""
    return (len(values),) + (1,) * (values.ndim - 1)
