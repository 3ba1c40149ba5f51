import itertools
import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from ppvd.geometry import Alignment
from ppvd.geometry.ransac import ransac_line
from ppvd.geometry.robust import (
    l1_line,
    l1_scale,
    least_squares_line,
    median_scale,
    trimmed_line,
    weighted_median,
    weiszfeld_scale,
)

AFFINE = [l1_line, least_squares_line, trimmed_line]
SCALE = [l1_scale, median_scale, weiszfeld_scale]


def points(count=60, *, seed=0, outliers=0.0, noise=0.05):
    rng = np.random.default_rng(seed)
    x = rng.normal(3.0, 1.0, count)
    y = 1.4 * x + 0.6 + noise * rng.normal(size=count)
    wild = rng.random(count) < outliers
    y[wild] += rng.uniform(3.0, 9.0, wild.sum())
    return x, y, rng.uniform(0.5, 2.0, count)


def l1_by_linear_programming(x, y, w, *, shift):
    """Minimise sum(w r) with -r <= a x + b - y <= r."""
    n = len(x)
    columns = [x, np.ones(n)] if shift else [x]
    line = np.stack(columns, axis=1)
    cost = np.concatenate([np.zeros(line.shape[1]), w])
    above = np.concatenate([np.hstack([line, -np.eye(n)]), np.hstack([-line, -np.eye(n)])])
    found = linprog(cost, above, np.concatenate([y, -y]), bounds=[(None, None)] * len(cost))
    return found.x[: line.shape[1]]


@pytest.mark.parametrize("seed", range(4))
def test_l1_equals_linear_programming(seed):
    x, y, w = points(seed=seed, outliers=0.3)
    np.testing.assert_allclose(l1_line(x, y, w), l1_by_linear_programming(x, y, w, shift=True))
    (scale,) = l1_by_linear_programming(x, y, w, shift=False)
    assert l1_scale(x, y, w) == (pytest.approx(scale), 0.0)


def test_least_squares_equals_numpy():
    x, y, w = points()
    slope, intercept = np.polyfit(x, y, 1, w=np.sqrt(w))
    np.testing.assert_allclose(least_squares_line(x, y, w), (slope, intercept))


@pytest.mark.parametrize("solve", [*AFFINE, *SCALE])
def test_every_solver_finds_an_exact_line(solve):
    x, _, w = points()
    shift = 0.7 if solve in AFFINE else 0.0
    np.testing.assert_allclose(solve(x, 2.5 * x + shift, w), (2.5, shift), atol=1e-9)


@pytest.mark.parametrize("solve", AFFINE)
def test_lines_follow_a_change_of_unit(solve):
    x, y, w = points(outliers=0.2)
    scale, shift = solve(x, y, w)
    moved_scale, moved_shift = solve(2.0 * x - 5.0, 3.0 * y + 1.0, w)
    assert moved_scale == pytest.approx(1.5 * scale)
    assert moved_shift - 5.0 * moved_scale == pytest.approx(3.0 * shift + 1.0)


@pytest.mark.parametrize("solve", [l1_line, trimmed_line])
def test_a_third_of_outliers_moves_robust_lines_little(solve):
    x, y, w = points(2000, outliers=0.3)
    scale, shift = solve(x, y, np.ones_like(w))
    plain = least_squares_line(x, y, np.ones_like(w))
    error = abs(scale * 3.0 + shift - 4.8)
    assert error < 0.1
    assert error < 0.1 * abs(plain[0] * 3.0 + plain[1] - 4.8)


def test_trimming_beats_l1_where_outliers_are_on_one_side():
    x, y, w = points(4000, outliers=0.3)
    w = np.ones_like(w)
    np.testing.assert_allclose(trimmed_line(x, y, w), (1.4, 0.6), atol=0.02)
    assert not np.allclose(l1_line(x, y, w), (1.4, 0.6), atol=0.02)


def test_ransac_finds_the_line_of_the_majority_and_repeats_itself():
    x, y, w = points(500, outliers=0.3, noise=0.01)
    line = ransac_line(x, y, w, seed=3)
    assert line == ransac_line(x, y, w, seed=3)
    assert abs(line[0] * 3.0 + line[1] - 4.8) < 0.5


def test_ransac_differs_between_seeds_where_points_scatter():
    x, y, w = points(500, outliers=0.5, noise=1.0)
    assert ransac_line(x, y, w, seed=3) != ransac_line(x, y, w, seed=4)


@pytest.mark.parametrize("count", [2, 3, 150, 250])
def test_ransac_draws_pairs_from_sets_of_every_size(count):
    x, y, w = points(count, noise=0.0)
    np.testing.assert_allclose(ransac_line(x, y, w, seed=0), (1.4, 0.6))


def test_ransac_gives_up_where_scikit_learn_raises():
    one = np.ones(1)
    assert ransac_line(one, one, one, seed=0) is None
    nan = np.full(5, np.nan)
    assert ransac_line(nan, np.arange(5.0), np.ones(5), seed=0) is None


def test_weighted_median_equals_the_median_of_repeated_values():
    rng = np.random.default_rng(0)
    values, weight = rng.normal(size=31), rng.integers(1, 5, size=31).astype(float)
    repeated = np.sort(np.repeat(values, weight.astype(int)))
    expected = repeated[(len(repeated) - 1) // 2]
    assert weighted_median(values, weight) == expected


@pytest.mark.parametrize("solve", [*AFFINE, *SCALE])
def test_degenerate_points_have_a_stated_line(solve):
    ones, y = np.ones(6), np.array([1.0, 2.0, 2.0, 3.0, 4.0, 4.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scale, shift = solve(ones, y, ones)
        assert np.isfinite([scale, shift]).all()
        assert (scale == 0.0) == (solve in AFFINE)
        assert solve(np.zeros(6), y, ones)[0] in (0.0, 1e-3)
        one = np.array([2.0])
        scale, shift = solve(one, np.array([5.0]), np.ones(1))
        assert scale * 2.0 + shift == pytest.approx(5.0)


@pytest.mark.parametrize("solver", ["trimmed", "l1", "l1_scale", "median_scale", "ransac"])
def test_solvers_by_image_treat_a_batch_as_images(solver):
    generator = torch.Generator().manual_seed(0)
    depth = torch.empty(3, 1, 9, 11).uniform_(0.5, 9.0, generator=generator)
    valid = torch.rand(depth.shape, generator=generator) < 0.7
    valid[1] = False
    prediction = torch.log1p(depth) + 0.1 * torch.randn(depth.shape, generator=generator)
    fit = Alignment(solver=solver).fit(prediction, depth, valid)
    assert fit.scale.shape == (3, 1, 1, 1)
    assert fit.degenerate.flatten().tolist() == [False, True, False]
    assert fit.scale[1] == fit.shift[1] == 0.0
    alone = Alignment(solver=solver).fit(prediction[2:], depth[2:], valid[2:])
    assert fit.scale[2] == alone.scale[0]
    assert fit.shift[2] == alone.shift[0]


def test_scope_image_fits_each_frame_of_a_clip():
    generator = torch.Generator().manual_seed(0)
    depth = torch.empty(2, 3, 1, 9, 11).uniform_(0.5, 9.0, generator=generator)
    valid = depth > 1.0
    prediction = torch.log1p(depth) * torch.rand(2, 3, 1, 1, 1, generator=generator)
    aligned = Alignment(scope="image")(prediction, depth, valid)
    torch.testing.assert_close(aligned[valid], depth[valid])
    frames = [maps.flatten(0, 1) for maps in (prediction, depth, valid)]
    assert torch.equal(aligned.flatten(0, 1), Alignment()(*frames))
    assert not torch.allclose(Alignment()(prediction, depth, valid)[valid], depth[valid])


def test_the_truth_that_clamps_is_the_frame_s_or_the_clip_s():
    depth = torch.tensor([1.0, 4.0, 1.0, 9.0]).reshape(1, 2, 1, 1, 2)
    prediction, valid = torch.full_like(depth, 20.0), torch.ones_like(depth).bool()
    for scope, expected in (("image", [4.0, 4.0, 9.0, 9.0]), ("video", [9.0] * 4)):
        alignment = Alignment(space="depth", solver="none", scope=scope)
        assert alignment(prediction, depth, valid).flatten().tolist() == expected


def test_of_equally_many_pixels_ransac_takes_the_better_explained_in_either_order(monkeypatch):
    x = np.arange(8.0)
    y = np.array([-2.5, 3.3, 3.3, 2.5, 1.7, 0.9, 4.7, 6.0])
    worse, better = (1, 6), (0, 7)  # five pixels agree with either pair, R^2 0.62 and 0.95
    lines = []
    for first, then in ((worse, better), (better, worse)):
        pairs = itertools.chain([first], itertools.repeat(then))
        monkeypatch.setattr(
            "ppvd.geometry.ransac._two_of", lambda *_, pairs=pairs: np.array(next(pairs))
        )
        lines.append(ransac_line(x, y, np.ones(8), seed=0))
    assert lines[0] == lines[1]
    assert lines[0][0] > 0.9  # the slope of the better pair is 1.2, of the worse one 0.3
