"""Alignment of a prediction to metric depth: by a scale and a shift, in a named space."""

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal

import torch
from torch import Tensor

from ppvd.geometry.fits import AffineFit, Moments, each, moments, total
from ppvd.geometry.parts import in_parts, thinned
from ppvd.geometry.ransac import ransac_line
from ppvd.geometry.robust import (
    Line,
    LineSolver,
    Values,
    l1_line,
    l1_scale,
    least_squares_line,
    median_scale,
    trimmed_line,
    weiszfeld_scale,
)

# Smallest disparity an aligned prediction may have, 1/m (Marigold, Video Depth Anything).
MIN_DISPARITY = 1e-3

Space = Literal["log", "depth", "disparity"]
Solver = Literal[
    "least_squares", "ransac", "trimmed", "l1", "scale", "median_scale", "l1_scale", "none"
]
SPACES = ("log", "depth", "disparity")
# Solved one image after the other on the CPU; the others in closed form for a whole batch.
LINES: dict[str, LineSolver] = {
    "trimmed": trimmed_line,
    "l1": l1_line,
    "l1_scale": l1_scale,
    "median_scale": median_scale,
}
SOLVERS = ("least_squares", "scale", "none", "ransac", *LINES)


@dataclass(frozen=True)
class Alignment:
    """Fit a scale and a shift for each image and return metric depth.

    The prediction is affine in ``space``: a network trained on ``LogDepthCodec`` codes is affine
    in ``"log"``, ``log(depth + 1)``, where the released evaluation aligns it too; ``"depth"`` and
    ``"disparity"`` serve models of those kinds. An alignment in the wrong space is meaningless.

    All solvers work in float64 on all valid pixels. Where the problem is degenerate the result
    is stated: a constant prediction, or a single valid pixel, gets scale 0 and the mean of the
    truth (``l1``: its weighted median); nothing valid gets scale 0 and shift 0; a negative
    scale is kept. ``AffineFit.degenerate`` tells these cases. Solvers without a shift give 0 for
    a prediction of zeros.

    Args:
        space: Where the prediction is affine in the truth.
        solver: ``"least_squares"``; ``"ransac"``, the released evaluation's; ``"trimmed"``, least
            squares without outliers, and without draws; ``"l1"``, least absolute error;
            ``"scale"``, ``"l1_scale"`` and ``"median_scale"`` (ratio of medians) without shift;
            ``"none"`` takes the prediction as a value in ``space`` as it stands.
        near_m: Lower clamp of the aligned depth, metres (released code).
        far_m: Upper clamp, metres: ``"truth"`` is each fit's largest valid depth (released
            code), a number is a data set's limit (Marigold), ``None`` does not clamp.
        scope: Input with a frame axis, ``(B, T, 1, H, W)``, gets one fit for the whole clip
            (``"video"``) or one for each frame (``"image"``).
        weighting: Errors count alike, or by one over the true depth (``"relative"``, MoGe).
        min_prediction: Smaller predictions are raised to it before anything else (Video Depth
            Anything: 1e-3); ``None`` leaves them.
        positive_only: Whether predictions that are not positive stay out of the fit (Marigold
            in disparity).
        fit_side: Larger images are fitted at the nearest pixels of a grid whose longer side has so
            many (Marigold on ETH3D: 1024); ``None`` fits to all.
        max_points: ``"l1"`` and ``"l1_scale"`` fit to every n-th valid pixel of images with more
            than these (MoGe: a grid of 64 x 64).
        seed: Of the draws of ``"ransac"``; each image starts from it, so that a result depends
            neither on order nor on batch. The released trainer's seed.
        parity: Reproduce two defects of others: after ``"ransac"`` a scale that is not positive
            becomes the ratio of the means and a fit that fails becomes scale 1 (released code);
            ``"l1_scale"`` stops after ten Weiszfeld steps (CUT3R); and least squares gives scale
            and shift 0 where the prediction is constant (MiDaS's solver).

    Raises:
        ValueError: If a name is unknown or the clamps are not positive and in order.
    """

    space: Space = "log"
    solver: Solver = "least_squares"
    near_m: float = 1e-3
    far_m: float | Literal["truth"] | None = "truth"
    scope: Literal["video", "image"] = "video"
    weighting: Literal["uniform", "relative"] = "uniform"
    min_prediction: float | None = None
    positive_only: bool = False
    fit_side: int | None = None
    max_points: int = 4096
    seed: int = 666
    parity: bool = False

    def __post_init__(self) -> None:
        _check_name("space", self.space, SPACES)
        _check_name("solver", self.solver, SOLVERS)
        _check_name("scope", self.scope, ("video", "image"))
        _check_name("weighting", self.weighting, ("uniform", "relative"))
        if not self.near_m > 0.0:
            raise ValueError(f"near_m must be positive metres, got {self.near_m}")
        if isinstance(self.far_m, str):
            if self.far_m != "truth":
                raise ValueError(f"far_m must be metres, 'truth' or None, got {self.far_m!r}")
        elif self.far_m is not None and not self.far_m > self.near_m:
            raise ValueError(f"far_m must exceed near_m {self.near_m} m, got {self.far_m}")
        if self.fit_side is not None and self.fit_side < 2:
            raise ValueError(f"fit_side must be at least 2 pixels, got {self.fit_side}")
        if self.max_points < 2:
            raise ValueError(f"max_points must be at least 2, got {self.max_points}")

    def __call__(self, prediction: Tensor, depth: Tensor, valid: Tensor) -> Tensor:
        """Return ``prediction`` as metric depth, within the clamps.

        Args:
            prediction: Values affine in ``space``, ``(B, [T,] 1, H, W)``.
            depth: True depth in metres, shape of ``prediction``; read where ``valid`` only.
            valid: True where ``depth`` is a measurement, bool, same shape.

        Returns:
            Metres, shape of ``prediction``, float32 or the wider dtype of the two inputs.
        """
        return self.apply(self.fit(prediction, depth, valid), prediction, depth, valid)

    def fit(self, prediction: Tensor, depth: Tensor, valid: Tensor) -> AffineFit:
        """Return the scale and shift of each image, or clip; arguments as in the call.

        Raises:
            ValueError: If the three shapes differ or ``valid`` is not bool.
        """
        _check_shapes(prediction, depth, valid)
        if self.scope == "image" and prediction.ndim > 4:
            frames = [maps.flatten(0, -4) for maps in (prediction, depth, valid)]
            fit, shape = self.fit(*frames), (*prediction.shape[:-3], 1, 1, 1)
            return AffineFit(fit.scale.reshape(shape), fit.shift.reshape(shape))
        if self.solver == "none":
            one = torch.ones_like(total(valid), dtype=torch.double)
            return AffineFit(one, torch.zeros_like(one))
        maps = thinned(prediction, depth, valid, side=self.fit_side)
        fits = [self._solve(*part) for part in ([maps] if depth.ndim > 4 else in_parts(*maps))]
        return AffineFit(
            torch.cat([one.scale for one in fits]), torch.cat([one.shift for one in fits])
        )

    def apply(self, fit: AffineFit, prediction: Tensor, depth: Tensor, valid: Tensor) -> Tensor:
        """Return ``prediction`` as metric depth by a given fit; the rest is as in the call."""
        wide = torch.promote_types(torch.promote_types(prediction.dtype, depth.dtype), torch.float)
        aligned = torch.empty_like(prediction, dtype=wide, memory_format=torch.contiguous_format)
        lead = (*prediction.shape[:-3], 1, 1, 1)
        numbers = (fit.scale, fit.shift, self._farthest(depth, valid))
        spread = (one.expand(lead).flatten(0, -4) for one in numbers)
        for part, scale, shift, far, source in in_parts(
            aligned.flatten(0, -4), *spread, prediction.flatten(0, -4)
        ):
            values = self._to_depth(scale * self._source(source) + shift)
            part.copy_(values.clamp_min(self.near_m).minimum(far))
        return aligned

    def _source(self, prediction: Tensor) -> Tensor:
        source = prediction.double()
        return source if self.min_prediction is None else source.clamp_min(self.min_prediction)

    def _values(
        self, prediction: Tensor, depth: Tensor, valid: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what is fitted to what, where, and with which weight, in float64."""
        source = self._source(prediction)
        if self.positive_only:
            valid = valid & (source > 0.0)
        depth = depth.double().where(valid, 1.0)
        weight = depth.reciprocal() if self.weighting == "relative" else torch.ones_like(depth)
        return source, self._from_depth(depth), valid, weight

    def _solve(self, prediction: Tensor, depth: Tensor, valid: Tensor) -> AffineFit:
        if self.solver == "least_squares":
            found = self._moments(prediction, depth, valid)
            fit = found.line()
            lost = found.source_constant & self.parity
            return AffineFit(fit.scale, fit.shift.masked_fill(lost, 0.0))
        if self.solver == "scale":
            return self._moments(prediction, depth, valid).factor()
        source, target, valid, weight = self._values(prediction, depth, valid)
        lines = [
            self._line(*(values[mask].cpu().numpy() for values in (x, y, w)))
            for x, y, w, mask in zip(source, target, weight, valid, strict=True)
        ]
        table = source.new_tensor(lines).reshape(-1, 2)
        scale, shift = (column.reshape(each(source)) for column in table.unbind(dim=1))
        return AffineFit(scale, shift)

    def _moments(self, prediction: Tensor, depth: Tensor, valid: Tensor) -> Moments:
        """Return the moments of images, or of clips, which are read some frames at a time."""
        found: list[Moments] = []
        maps = prediction, depth, valid
        for part in in_parts(*maps, dim=1):
            source, target, counts, weight = self._values(*part)
            found.append(moments(source, target, counts, weight=weight))
        return reduce(add, found)

    def _line(self, x: Values, y: Values, w: Values) -> Line:
        if not len(x):
            return 0.0, 0.0
        if self.solver == "ransac":
            return self._ransac(x, y, w)
        step = -(-len(x) // self.max_points) if self.solver in ("l1", "l1_scale") else 1
        solve = weiszfeld_scale if self.parity and self.solver == "l1_scale" else LINES[self.solver]
        return solve(x[::step], y[::step], w[::step])

    def _ransac(self, x: Values, y: Values, w: Values) -> Line:
        line = ransac_line(x, y, w, seed=self.seed)
        if not self.parity:
            return least_squares_line(x, y, w) if line is None else line
        if line is None:
            return 1.0, 0.0
        if line[0] > 0.0:
            return line
        mean = float(x.mean())
        return (float(y.mean()) / mean if mean != 0.0 else 0.0), 0.0

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

    def _farthest(self, depth: Tensor, valid: Tensor) -> Tensor:
        """Return the upper clamp of each image, or clip; infinite where there is none."""
        if self.far_m != "truth":
            far_m = torch.inf if self.far_m is None else float(self.far_m)
            return depth.new_full((), far_m, dtype=torch.double)
        axes = (-3, -2, -1) if self.scope == "image" else tuple(range(1, depth.ndim))
        farthest = depth.masked_fill(~valid, -torch.inf).amax(dim=axes, keepdim=True).double()
        return farthest.masked_fill(farthest.isinf(), torch.inf)


def _check_name(argument: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ValueError(f"{argument} must be one of {', '.join(known)}, got {name!r}")


def _check_shapes(prediction: Tensor, depth: Tensor, valid: Tensor) -> None:
    if not prediction.shape == depth.shape == valid.shape:
        raise ValueError(
            "prediction, depth and valid must have one shape, got "
            f"{tuple(prediction.shape)}, {tuple(depth.shape)} and {tuple(valid.shape)}"
        )
    if valid.dtype != torch.bool:
        raise ValueError(f"valid must be bool, got {valid.dtype}")
