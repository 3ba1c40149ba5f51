"""Scale and shift that outliers do not move: lines through points, one image at a time.

Each function takes the source ``x``, the target ``y`` and positive weights ``w`` of one image's
valid pixels, float64 ``(N,)``, at least one of them, and returns ``(scale, shift)``.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ppvd.geometry.fits import CONSTANT_SPREAD

Values = NDArray[np.float64]
Line = tuple[float, float]
LineSolver = Callable[[Values, Values, Values], Line]

# A residual within this many medians of all residuals is kept: 2.5 standard deviations of
# normal errors (1.4826 medians each), the usual rejection rule.
TRIM_MEDIANS = 2.5 * 1.4826
TRIM_ROUNDS = 20
# Halvings of the bracket around the best slope: more than float64 has bits.
SLOPE_HALVINGS = 80
# Released CUT3R, its loop and its floor.
WEISZFELD_ROUNDS = 10
WEISZFELD_MIN_SCALE = 1e-3


def least_squares_line(x: Values, y: Values, w: Values) -> Line:
    """Minimise ``sum w (a x + b - y)^2``; a constant ``x`` or ``y`` gets scale 0."""
    mass = w.sum()
    x_mean, y_mean = float((w * x).sum() / mass), float((w * y).sum() / mass)
    if _is_constant(x) or _is_constant(y):
        return 0.0, y_mean
    centred = x - x_mean
    scale = float((w * centred * (y - y_mean)).sum() / (w * centred**2).sum())
    return scale, y_mean - scale * x_mean


def l1_scale(x: Values, y: Values, w: Values) -> Line:
    """Minimise ``sum w |a x - y|`` exactly (MoGe): a median of ``y / x``, weighted ``w |x|``."""
    seen = x != 0.0
    if not seen.any():
        return 0.0, 0.0
    return weighted_median(y[seen] / x[seen], (w * np.abs(x))[seen]), 0.0


def median_scale(x: Values, y: Values, w: Values) -> Line:  # noqa: ARG001
    """Return the ratio of the medians of ``y`` and ``x``; 0 where that of ``x`` is 0."""
    middle = float(np.median(x))
    return (float(np.median(y)) / middle if middle != 0.0 else 0.0), 0.0


def weiszfeld_scale(x: Values, y: Values, w: Values) -> Line:
    """Approach ``l1_scale`` by ten reweighted steps from the ratio of means (released CUT3R)."""
    mean, energy = x.mean(), (x**2).sum()
    if mean == 0.0 or energy == 0.0:
        return 0.0, 0.0
    scale = y.mean() / mean
    for _ in range(WEISZFELD_ROUNDS):
        pull = w / (np.abs(scale * x - y) + 1e-8)
        scale = (pull * x * y).sum() / (pull * x**2).sum()
    return max(float(scale), WEISZFELD_MIN_SCALE), 0.0


def l1_line(x: Values, y: Values, w: Values) -> Line:
    """Minimise ``sum w |a x + b - y|`` exactly.

    For a given slope the best shift is a weighted median; the loss that is left is convex in
    the slope, and the sign of its derivative halves a bracket around the optimum. MoGe tries
    each point as an anchor instead, in quadratic time, and lands on the same line.
    """
    if not np.isfinite(x).all():
        return np.nan, np.nan
    if _is_constant(x) or _is_constant(y):
        return 0.0, weighted_median(y, w)
    centre = float(np.median(x))
    x = x - centre  # well-conditioned slopes
    low, high = _slope_bracket(x, y, w)
    for _ in range(SLOPE_HALVINGS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (low, middle) if _slope_derivative(middle, x, y, w) > 0.0 else (middle, high)
    scale = 0.5 * (low + high)
    return scale, weighted_median(y - scale * x, w) - scale * centre


def trimmed_line(x: Values, y: Values, w: Values) -> Line:
    """Refit by least squares to the pixels within 3.7 median residuals, until they stay the same.

    Starts from the L1 line, on which a third of gross outliers hangs lightly, through at most
    4096 pixels.
    """
    step = -(-len(x) // 4096)
    scale, shift = l1_line(x[::step], y[::step], w[::step])
    kept = np.zeros(len(x), bool)
    for _ in range(TRIM_ROUNDS):
        residual = np.abs(scale * x + shift - y)
        now = residual <= TRIM_MEDIANS * np.median(residual)
        if not now.any() or np.array_equal(now, kept):
            break
        kept = now
        scale, shift = least_squares_line(x[kept], y[kept], w[kept])
    return scale, shift


def weighted_median(values: Values, weight: Values) -> float:
    """Return the smallest value with at least half of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weight[order])
    place = int(np.searchsorted(mass, 0.5 * mass[-1]))
    return float(values[order[min(place, len(values) - 1)]])


def _is_constant(values: Values) -> bool:
    return bool(np.ptp(values) <= CONSTANT_SPREAD * np.abs(values).max())


def _slope_bracket(x: Values, y: Values, w: Values) -> tuple[float, float]:
    """Return slopes with the optimum between them."""
    slope, _ = least_squares_line(x, y, w)
    reach = max(np.ptp(y) / np.ptp(x), abs(slope), np.finfo(float).tiny)
    low, high = slope - reach, slope + reach
    while _slope_derivative(low, x, y, w) > 0.0:
        reach *= 2.0
        low -= reach
    while _slope_derivative(high, x, y, w) < 0.0:
        reach *= 2.0
        high += reach
    return low, high


def _slope_derivative(slope: float, x: Values, y: Values, w: Values) -> float:
    """Derivative of the loss by the slope, the shift being the best for it.

    The pixel that is the median has residual 0, and whatever share of its sign balances the
    others'.
    """
    residual = slope * x - y
    order = np.argsort(residual, kind="stable")
    mass = np.cumsum(w[order])
    place = int(np.searchsorted(mass, 0.5 * mass[-1]))
    sign = np.where(np.arange(len(x)) > place, 1.0, -1.0)
    sign[place] = 0.0
    sorted_w, sorted_x = w[order], x[order]
    sign[place] = -(sorted_w * sign).sum() / sorted_w[place]
    return float((sorted_w * sorted_x * sign).sum())
