"""RANSAC as the released evaluation runs it, with scikit-learn's draws and without scikit-learn."""

import math

import numpy as np
from numpy.typing import NDArray

from ppvd.geometry.robust import Line, Values, least_squares_line

# The released evaluation's number of trials, and scikit-learn's default for the rest.
MAX_TRIALS = 1000
STOP_PROBABILITY = 0.99
# Between these shares of the pixels scikit-learn draws by shuffling all of them.
_SHUFFLED_SHARE = (0.01, 0.99)


def ransac_line(x: Values, y: Values, w: Values, *, seed: int) -> Line | None:
    """Fit ``y = a x + b`` to the largest set of pixels that two of them explain.

    The algorithm, its settings and its draws are those of scikit-learn's ``RANSACRegressor``
    with ``max_trials=1000``: two pixels a trial; a pixel agrees if it is off by at most the
    median absolute deviation of ``y``; ties go to the better R^2; and the number of trials
    shrinks as the agreement grows. The last fit is weighted by ``w``, all else is not.

    Args:
        x: Source, float64, ``(N,)``.
        y: Target, shape of ``x``.
        w: Weights of the last fit, shape of ``x``.
        seed: Of the draws, as ``numpy.random.seed`` takes it.

    Returns:
        Scale and shift; ``None`` where scikit-learn raises: fewer than two pixels, or no pixel
        that agrees with any pair.
    """
    if len(x) < 2:
        return None
    best = _largest_agreement(x, y, np.random.RandomState(seed))
    return None if best is None else least_squares_line(x[best], y[best], w[best])


def _largest_agreement(
    x: Values, y: Values, draws: np.random.RandomState
) -> NDArray[np.bool_] | None:
    tolerance = float(np.median(np.abs(y - np.median(y))))
    best, best_size, best_score = None, 1, -math.inf
    trial, trials = 0, float(MAX_TRIALS)
    while trial < trials:
        trial += 1
        pair = _two_of(len(x), draws)
        scale, shift = least_squares_line(x[pair], y[pair], np.ones(2))
        agrees = np.abs(scale * x + shift - y) <= tolerance
        size = int(agrees.sum())
        if size < best_size:
            continue
        score = _r_squared(scale * x[agrees] + shift, y[agrees])
        if size == best_size and score < best_score:
            continue
        best, best_size, best_score = agrees, size, score
        trials = min(trials, _trials_needed(size / len(x)))
    return best


def _two_of(count: int, draws: np.random.RandomState) -> NDArray[np.int64]:
    """Draw two different indices below ``count`` by scikit-learn's calls on the generator."""
    if count == 2:
        return np.arange(2)
    low, high = _SHUFFLED_SHARE
    if low < 2 / count < high:
        return draws.permutation(count)[:2]
    first = second = int(draws.randint(count))
    while second == first:
        second = int(draws.randint(count))
    return np.array([first, second])


def _r_squared(predicted: Values, y: Values) -> float:
    residual, spread = float(((y - predicted) ** 2).sum()), float(((y - y.mean()) ** 2).sum())
    if spread == 0.0:
        return 1.0 if residual == 0.0 else 0.0
    return 1.0 - residual / spread


def _trials_needed(share: float) -> float:
    """Trials after which a pair out of ``share`` of the pixels was drawn with probability 0.99."""
    tiny = float(np.spacing(1))
    missed = max(tiny, 1.0 - share**2)
    if missed == 1.0:
        return math.inf
    return abs(math.ceil(math.log(max(tiny, 1.0 - STOP_PROBABILITY)) / math.log(missed)))
