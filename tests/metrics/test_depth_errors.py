import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ppvd.geometry import Alignment
from ppvd.metrics import DepthErrors, depth_errors

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "single"


def load(case):
    tensors = load_file(GOLDEN / f"{case}.safetensors")
    maps = {name: value[None, None] for name, value in tensors.items()}
    maps["in.mask"] = maps["in.mask"].bool()
    return maps, json.loads((GOLDEN / f"{case}.json").read_text())["results"]


def scene(batch=4, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    depth = torch.empty(batch, 1, 12, 16).uniform_(0.5, 12.0, generator=generator)
    valid = torch.rand(depth.shape, generator=generator) < 0.8
    noise = 0.1 * torch.randn(depth.shape, generator=generator)
    return torch.log1p(depth) + noise, depth, valid


DEPTH = ("depth", "marigold.least_square", "in.pred_depth")
DISPARITY = ("disparity", "marigold.least_square_disparity", "in.pred_disp")


@pytest.mark.parametrize(
    ("case", "space", "key", "prediction"),
    # In disparity, Marigold fits "far" and "neg_scale" on some of the pixels only.
    [(case, *DEPTH) for case in ("noisy", "holes", "far", "const_gt", "neg_scale")]
    + [(case, *DISPARITY) for case in ("noisy", "holes", "const_gt")],
)
def test_errors_equal_marigold(case, space, key, prediction):
    maps, results = load(case)
    near, far = results[key]["clip"]
    metric = DepthErrors(Alignment(space=space, near_m=near, far_m=far))
    metric.update(prediction=maps[prediction], depth=maps["in.gt"], valid=maps["in.mask"])
    found = metric.compute()
    names = {
        "abs_rel": "abs_relative_difference",
        "sq_rel": "squared_relative_difference",
        "rmse": "rmse_linear",
        "rmse_log": "rmse_log",
        "log10": "log10",
        "delta1": "delta1_acc",
        "delta2": "delta2_acc",
        "delta3": "delta3_acc",
    }
    for ours, theirs in names.items():
        expected = results[key][theirs]
        assert found[ours].item() == pytest.approx(expected, rel=1e-4, abs=1e-6), ours


def test_errors_equal_the_released_evaluation():
    maps, results = load("noisy")  # where its RANSAC keeps every pixel
    metric = DepthErrors(eps=1e-5)
    metric.update(prediction=maps["in.pred_log"], depth=maps["in.gt"], valid=maps["in.mask"])
    found, expected = metric.compute(), results["ppd.seed666"]["metrics"]
    assert found["abs_rel"].item() == pytest.approx(expected["abs_rel"], rel=1e-4)
    for ours, theirs in {"delta_half": "d0.5", "delta1": "d1", "delta3": "d3"}.items():
        assert found[ours].item() == expected[theirs]


@pytest.mark.parametrize("case", ["noisy", "holes", "far", "two_valid"])
def test_errors_without_alignment_equal_depth_anything_v2(case):
    maps, results = load(case)
    reference = results["dav2.eval_depth"]
    errors = depth_errors(maps["in.pred_metric"], maps["in.gt"], maps["in.mask"])
    names = {"d1": "delta1", "d2": "delta2", "d3": "delta3"}
    for theirs in ("abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "d1", "d2", "d3"):
        got = errors[names.get(theirs, theirs)].item()
        assert got == pytest.approx(reference[theirs], rel=1e-5), theirs


def test_eps_is_added_to_the_denominators():
    depth = torch.linspace(1.0, 4.0, 12).reshape(1, 1, 3, 4)
    metric = DepthErrors(Alignment(space="depth", solver="none", far_m=None), eps=0.5)
    metric.update(1.2 * depth, depth, torch.ones_like(depth).bool())
    found, g = metric.compute(), depth.double().numpy()
    assert found["abs_rel"].item() == pytest.approx((0.2 * g / (g + 0.5)).mean(), rel=1e-6)
    ratio = np.maximum(1.2 * g / (g + 0.5), g / (1.2 * g + 0.5))
    assert found["delta_half"].item() == pytest.approx((ratio < 1.25**0.5).mean())
    assert found["delta_half"] == 1.0  # without eps no pixel is that close


def test_mean_over_images_equals_numpy():
    prediction, depth, valid = scene()
    metric = DepthErrors()
    metric.update(prediction, depth, valid)
    rows = []
    for p, g, m in zip(
        prediction.double().numpy(), depth.double().numpy(), valid.numpy(), strict=True
    ):
        x, y = p[m], np.log(g[m] + 1.0)
        slope, intercept = np.polyfit(x, y, 1)
        aligned = np.clip(np.exp(slope * x + intercept) - 1.0, 1e-3, g[m].max())
        ratio = np.maximum(aligned / g[m], g[m] / aligned)
        rows.append([np.mean(np.abs(aligned - g[m]) / g[m]), np.mean(ratio < 1.25)])
    found = metric.compute()
    np.testing.assert_allclose(
        [found["abs_rel"], found["delta1"]], np.mean(rows, axis=0), rtol=1e-6
    )


def test_scores_do_not_depend_on_scale_shift_batching_or_order():
    prediction, depth, valid = scene()
    whole, parts = DepthErrors(), DepthErrors()
    whole.update(prediction, depth, valid)
    for index in (3, 0, 2, 1):
        one = slice(index, index + 1)
        parts.update(5.0 * prediction[one] - 2.0, depth[one], valid[one])
    for name, value in whole.compute().items():
        torch.testing.assert_close(parts.compute()[name], value, rtol=1e-6, atol=1e-9)


def test_a_perfect_prediction_scores_perfectly():
    _, depth, valid = scene()
    metric = DepthErrors()
    metric.update(torch.log1p(depth), depth, valid)
    found = metric.compute()
    assert found["abs_rel"] < 1e-6
    assert found["rmse"] < 1e-5
    assert found["delta_half"] == found["delta1"] == 1.0


def test_images_with_too_little_truth_are_counted_and_not_averaged():
    prediction, depth, valid = scene()
    only = DepthErrors()
    only.update(prediction[:2], depth[:2], valid[:2])
    valid[2] = False
    valid[3] = False
    valid[3, 0, 1, 2:7] = True
    metric = DepthErrors()
    metric.update(prediction, depth, valid)
    found = metric.compute()
    assert found["num_without_truth"] == 2
    assert found["abs_rel"] == only.compute()["abs_rel"]
    lenient = DepthErrors(min_pixels=5)
    lenient.update(prediction, depth, valid)
    assert lenient.compute()["num_without_truth"] == 1


def test_one_pixel_is_met_exactly_if_it_is_allowed_to_count():
    prediction, depth, valid = scene(batch=1)
    valid[:] = False
    valid[0, 0, 3, 3] = True
    metric = DepthErrors(min_pixels=1)
    metric.update(prediction, depth, valid)
    assert metric.compute()["abs_rel"] < 1e-6


def test_nothing_to_average_gives_nan():
    prediction, depth, valid = scene()
    metric = DepthErrors()
    metric.update(prediction, depth, torch.zeros_like(valid))
    found = metric.compute()
    assert found.pop("num_without_truth") == 4
    assert found.pop("num_degenerate_fits") == 0  # only of the images that count
    assert all(value.isnan() for value in found.values())


def test_never_updated_gives_nan():
    metric = DepthErrors()
    with pytest.warns(UserWarning, match="before the ``update`` method"):
        found = metric.compute()
    assert found["abs_rel"].isnan()


def test_a_broken_prediction_shows():
    prediction, depth, valid = scene()
    prediction[1] = torch.nan
    metric = DepthErrors()
    metric.update(prediction, depth, valid)
    assert metric.compute()["abs_rel"].isnan()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="eps must be at least 0, got -1"):
        DepthErrors(eps=-1.0)
    with pytest.raises(ValueError, match="min_pixels must be at least 1, got 0"):
        DepthErrors(min_pixels=0)
    prediction, depth, valid = scene()
    with pytest.raises(ValueError, match="must have one shape"):
        DepthErrors().update(prediction[:1], depth, valid)


def test_a_clip_has_one_alignment_and_each_frame_counts_as_an_image():
    prediction, depth, valid = scene(4)
    shifts = torch.arange(4.0).reshape(4, 1, 1, 1)
    drifting = (prediction + 0.3 * shifts)[None]
    clip, frames = DepthErrors(), DepthErrors()
    clip.update(drifting, depth[None], valid[None])
    frames.update(drifting[0], depth, valid)
    aligned = clip.alignment(drifting, depth[None], valid[None])[0]
    expected = torch.stack(
        [((a - d).abs() / d)[v].mean() for a, d, v in zip(aligned, depth, valid, strict=True)]
    ).mean()
    assert clip.compute()["abs_rel"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert clip.compute()["abs_rel"] > 2 * frames.compute()["abs_rel"]
