"""Scale-and-shift alignment of a prediction to metric depth, in a named space."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

# Smallest disparity an aligned prediction may have, 1/m (Marigold, Video Depth Anything).
MIN_DISPARITY = 1e-3
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


@dataclass(frozen=True)
class Alignment:
    """Fit a scale and a shift for each image and return metric depth.

    The prediction is affine in ``space``: a network trained on ``LogDepthCodec`` codes is affine
    in ``"log"``, ``log(depth + 1)``, where the released evaluation aligns it too; ``"depth"`` and
    ``"disparity"`` serve models of those kinds. An alignment in the wrong space is meaningless.

    Least squares is solved in closed form, centred, in float64, over all valid pixels. Where the
    problem is degenerate the result is stated: a constant prediction, or a single valid pixel,
    gets scale 0 and the mean of the truth; nothing valid gets scale 0 and shift 0; a negative
    scale is kept (the released code replaces it, and keeps the wrong sign).

    Input with a frame axis, ``(B, T, 1, H, W)``, gets one fit for the whole clip.

    Args:
        space: Where the prediction is affine in the truth.
        solver: ``"none"`` takes the prediction as a value in ``space`` as it stands.
        near_m: Lower clamp of the aligned depth, metres (released code).
        far_m: Upper clamp, metres: ``"truth"`` is each image's largest valid depth (released
            code), a number is a data set's limit (Marigold), ``None`` does not clamp.

    Raises:
        ValueError: If a name is unknown or the clamps are not positive and in order.
    """

    space: Literal["log", "depth", "disparity"] = "log"
    solver: Literal["least_squares", "none"] = "least_squares"
    near_m: float = 1e-3
    far_m: float | Literal["truth"] | None = "truth"

    def __post_init__(self) -> None:
        if self.space not in ("log", "depth", "disparity"):
            raise ValueError(f"space must be log, depth or disparity, got {self.space!r}")
        if self.solver not in ("least_squares", "none"):
            raise ValueError(f"solver must be least_squares or none, got {self.solver!r}")
        if not self.near_m > 0.0:
            raise ValueError(f"near_m must be positive metres, got {self.near_m}")
        if isinstance(self.far_m, str):
            if self.far_m != "truth":
                raise ValueError(f"far_m must be metres, 'truth' or None, got {self.far_m!r}")
        elif self.far_m is not None and not self.far_m > self.near_m:
            raise ValueError(f"far_m must exceed near_m {self.near_m} m, got {self.far_m}")

    def __call__(self, prediction: Tensor, depth: Tensor, valid: Tensor) -> Tensor:
        """Return ``prediction`` as metric depth, within the clamps.

        Args:
            prediction: Values affine in ``space``, ``(B, [T,] 1, H, W)``.
            depth: True depth in metres, shape of ``prediction``; read where ``valid`` only.
            valid: True where ``depth`` is a measurement, bool, same shape.

        Returns:
            Metres, shape of ``prediction``, float32 or the wider dtype of the two inputs.
        """
        fit = self.fit(prediction, depth, valid)
        aligned = self._to_depth(fit.scale * prediction.double() + fit.shift)
        aligned = self._clamp(aligned, depth, valid)
        wide = torch.promote_types(torch.promote_types(prediction.dtype, depth.dtype), torch.float)
        return aligned.to(wide)

    def fit(self, prediction: Tensor, depth: Tensor, valid: Tensor) -> AffineFit:
        """Return the scale and shift of each image; arguments as in the call.

        Raises:
            ValueError: If the three shapes differ or ``valid`` is not bool.
        """
        _check_shapes(prediction, depth, valid)
        if self.solver == "none":
            one = torch.ones_like(_total(valid), dtype=torch.double)
            return AffineFit(one, torch.zeros_like(one))
        target = self._from_depth(depth.double().where(valid, 1.0))
        return fit_affine(prediction.double(), target, valid)

    def _from_depth(self, depth: Tensor) -> Tensor:
        if self.space == "log":
            return torch.log1p(depth)
        return depth.reciprocal() if self.space == "disparity" else depth

    def _to_depth(self, values: Tensor) -> Tensor:
        if self.space == "log":
            return torch.expm1(values)
        if self.space == "disparity":
            return values.clamp_min(MIN_DISPARITY).reciprocal()
        return values

    def _clamp(self, aligned: Tensor, depth: Tensor, valid: Tensor) -> Tensor:
        aligned = aligned.clamp_min(self.near_m)
        if self.far_m is None:
            return aligned
        if self.far_m != "truth":
            return aligned.clamp_max(float(self.far_m))
        farthest = depth.double().masked_fill(~valid, -torch.inf).flatten(1).amax(dim=1)
        farthest = farthest.masked_fill(farthest.isinf(), torch.inf).reshape(_shape(depth))
        return torch.minimum(aligned, farthest)


def fit_affine(source: Tensor, target: Tensor, valid: Tensor) -> AffineFit:
    """Solve ``min sum (scale * source + shift - target)^2`` over each element's valid entries.

    Args:
        source: Values to carry, float64, ``(B, ...)``.
        target: Where to, float64, shape of ``source``.
        valid: Entries that count, bool, shape of ``source``; where they hold one value alone,
            or there are none, the scale is 0.
    """
    count = _total(valid).clamp_min(1)
    source, target = source.where(valid, 0.0), target.where(valid, 0.0)
    source_mean, target_mean = _total(source) / count, _total(target) / count
    centred = (source - source_mean).where(valid, 0.0)
    variance = _total(centred.square())
    covariance = _total(centred * target)
    constant = variance <= CONSTANT_SPREAD**2 * _total(source.square())
    scale = torch.where(constant, 0.0, covariance / variance.where(~constant, 1.0))
    return AffineFit(scale, target_mean - scale * source_mean)


def _total(values: Tensor) -> Tensor:
    """Sum each batch element to ``(B, 1, ..., 1)``."""
    return values.flatten(1).sum(dim=1).reshape(_shape(values))


def _shape(values: Tensor) -> tuple[int, ...]:
    return (len(values),) + (1,) * (values.ndim - 1)


def _check_shapes(prediction: Tensor, depth: Tensor, valid: Tensor) -> None:
    if not prediction.shape == depth.shape == valid.shape:
        raise ValueError(
            "prediction, depth and valid must have one shape, got "
            f"{tuple(prediction.shape)}, {tuple(depth.shape)} and {tuple(valid.shape)}"
        )
    if valid.dtype != torch.bool:
        raise ValueError(f"valid must be bool, got {valid.dtype}")
