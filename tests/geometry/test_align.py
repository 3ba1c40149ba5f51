import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ppvd.geometry import Alignment

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "single"
SPACES = ["log", "depth", "disparity"]


def load(case):
    tensors = load_file(GOLDEN / f"{case}.safetensors")
    maps = {name: value[None, None] for name, value in tensors.items()}
    maps["in.mask"] = maps["in.mask"].bool()
    return maps, json.loads((GOLDEN / f"{case}.json").read_text())["results"]


def scene(batch=3, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    depth = torch.empty(batch, 1, 20, 30).uniform_(0.5, 12.0, generator=generator)
    valid = torch.rand(depth.shape, generator=generator) < 0.8
    noise = 0.05 * torch.randn(depth.shape, generator=generator)
    return depth, valid, noise


def into(space, depth):
    return {"log": torch.log1p, "depth": torch.clone, "disparity": torch.reciprocal}[space](depth)


@pytest.mark.parametrize("case", ["noisy", "holes", "far", "two_valid", "const_gt", "neg_scale"])
def test_depth_fit_equals_marigold(case):
    maps, results = load(case)
    reference = results["marigold.least_square"]
    near, far = reference["clip"]
    alignment = Alignment(space="depth", near_m=near, far_m=far)
    arguments = maps["in.pred_depth"], maps["in.gt"], maps["in.mask"]
    fit = alignment.fit(*arguments)
    assert fit.scale.item() == pytest.approx(reference["scale"], rel=2e-6, abs=1e-6)
    assert fit.shift.item() == pytest.approx(reference["shift"], rel=2e-6, abs=1e-5)
    torch.testing.assert_close(
        alignment(*arguments), maps["out.marigold.least_square"], rtol=2e-6, atol=1e-5
    )


@pytest.mark.parametrize("case", ["noisy", "holes", "far", "neg_scale", "two_valid", "const_gt"])
def test_disparity_fit_equals_moge(case):
    maps, results = load(case)
    alignment = Alignment(space="disparity")
    fit = alignment.fit(maps["in.pred_disp"], maps["in.gt"], maps["in.mask"])
    scale, shift = results["moge.align_affine_lstsq_disp.f64"]
    assert fit.scale.item() == pytest.approx(scale, rel=2e-6, abs=1e-12)
    assert fit.shift.item() == pytest.approx(shift, rel=2e-6)


@pytest.mark.parametrize("case", ["noisy", "holes"])  # elsewhere Marigold leaves out some pixels
def test_aligned_disparity_equals_marigold(case):
    maps, results = load(case)
    near, far = results["marigold.least_square_disparity"]["clip"]
    alignment = Alignment(space="disparity", near_m=near, far_m=far)
    torch.testing.assert_close(
        alignment(maps["in.pred_disp"], maps["in.gt"], maps["in.mask"]),
        maps["out.marigold.least_square_disparity"],
        rtol=2e-6,
        atol=1e-5,
    )


def test_log_fit_equals_the_released_ransac_where_it_keeps_every_pixel():
    maps, results = load("noisy")
    reference = results["ppd.seed666"]
    assert reference["inliers"] == maps["in.mask"].sum()
    alignment = Alignment()
    arguments = maps["in.pred_log"], maps["in.gt"], maps["in.mask"]
    fit = alignment.fit(*arguments)
    assert fit.scale.item() == pytest.approx(reference["a"], rel=2e-6)
    assert fit.shift.item() == pytest.approx(reference["b"], rel=2e-6)
    torch.testing.assert_close(
        alignment(*arguments), maps["out.ppd.aligned_seed666"], rtol=2e-6, atol=1e-5
    )


@pytest.mark.parametrize("space", SPACES)
def test_fit_equals_numpy_least_squares(space):
    depth, valid, noise = scene()
    prediction = 0.3 * into(space, depth) + 0.7 + noise
    fit = Alignment(space=space).fit(prediction, depth, valid)
    for index in range(len(depth)):
        mask = valid[index].numpy()
        x = prediction[index].double().numpy()[mask]
        y = into(space, depth[index].double()).numpy()[mask]
        expected, *_ = np.linalg.lstsq(np.stack([x, np.ones_like(x)], axis=1), y, rcond=None)
        got = [fit.scale[index].item(), fit.shift[index].item()]
        np.testing.assert_allclose(got, expected, rtol=1e-9)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(("scale", "shift"), [(3.0, -2.0), (-0.2, 5.0), (1e-3, 40.0)])
def test_result_does_not_depend_on_the_predictions_scale_and_shift(space, scale, shift):
    depth, valid, noise = scene()
    prediction = (into(space, depth) + noise).double()
    alignment = Alignment(space=space)
    torch.testing.assert_close(
        alignment(scale * prediction + shift, depth, valid),
        alignment(prediction, depth, valid),
        rtol=1e-9,
        atol=1e-9,
    )


@pytest.mark.parametrize("space", SPACES)
def test_an_affine_prediction_is_aligned_exactly(space):
    depth, valid, _ = scene()
    aligned = Alignment(space=space)(5.0 - 2.0 * into(space, depth), depth, valid)
    torch.testing.assert_close(aligned[valid], depth[valid], rtol=2e-6, atol=0.0)


def test_images_of_a_batch_do_not_touch_each_other():
    depth, valid, noise = scene()
    prediction = torch.log1p(depth) + noise
    order = torch.tensor([2, 0, 1])
    aligned = Alignment()(prediction, depth, valid)
    assert torch.equal(Alignment()(prediction[order], depth[order], valid[order]), aligned[order])


def test_pixels_without_truth_do_not_count():
    depth, valid, noise = scene()
    prediction = torch.log1p(depth) + noise
    expected = Alignment()(prediction, depth, valid)
    aligned = Alignment()(prediction.where(valid, torch.nan), depth.where(valid, torch.nan), valid)
    assert torch.equal(aligned[valid], expected[valid])


@pytest.mark.parametrize("space", SPACES)
def test_a_constant_prediction_becomes_the_mean_of_the_truth(space):
    depth, valid, _ = scene(batch=1)
    for constant in (0.0, 0.1, -37.3):
        fit = Alignment(space=space).fit(torch.full_like(depth, constant), depth, valid)
        assert fit.scale.item() == 0.0
        mean = into(space, depth[valid].double()).mean().item()
        assert fit.shift.item() == pytest.approx(mean)


def test_rounding_of_a_constant_is_no_slope():
    depth, valid, noise = scene(batch=1)
    prediction = torch.full_like(depth, 37.3)
    prediction = torch.where(noise > 0.0, prediction, prediction.nextafter(torch.zeros(())))
    assert Alignment().fit(prediction, depth, valid).scale.item() == 0.0


def test_one_valid_pixel_is_met_exactly():
    depth, valid, noise = scene(batch=1)
    valid = torch.zeros_like(valid)
    valid[0, 0, 4, 5] = True
    aligned = Alignment()(noise, depth, valid)
    torch.testing.assert_close(aligned, depth[0, 0, 4, 5].expand_as(aligned))


@pytest.mark.parametrize("space", SPACES)
def test_nothing_valid_gives_zero_scale_and_a_finite_depth(space):
    depth, valid, noise = scene()
    alignment = Alignment(space=space)
    fit = alignment.fit(noise, depth, torch.zeros_like(valid))
    assert not fit.scale.any()
    assert not fit.shift.any()
    assert alignment(noise, depth, torch.zeros_like(valid)).isfinite().all()


def test_a_prediction_that_runs_the_wrong_way_keeps_its_negative_scale():
    depth, valid, _ = scene()
    fit = Alignment().fit(-torch.log1p(depth), depth, valid)
    torch.testing.assert_close(fit.scale, torch.full_like(fit.scale, -1.0), rtol=1e-6, atol=0.0)


def test_clamp_policies():
    depth = torch.tensor([1.0, 2.0, 4.0, 9.0]).reshape(1, 1, 2, 2)
    valid = depth < 5.0
    prediction = torch.tensor([-3.0, 2.0, 4.0, 50.0]).reshape(1, 1, 2, 2)

    def aligned(far_m):
        alignment = Alignment(space="depth", solver="none", near_m=0.5, far_m=far_m)
        return alignment(prediction, depth, valid).flatten().tolist()

    assert aligned("truth") == [0.5, 2.0, 4.0, 4.0]
    assert aligned(10.0) == [0.5, 2.0, 4.0, 10.0]
    assert aligned(None) == [0.5, 2.0, 4.0, 50.0]


@pytest.mark.parametrize("space", SPACES)
def test_no_solver_only_changes_the_unit(space):
    depth, valid, _ = scene()
    alignment = Alignment(space=space, solver="none", far_m=None)
    torch.testing.assert_close(alignment(into(space, depth), depth, valid), depth)


def test_a_clip_is_fitted_as_a_whole():
    depth, valid, noise = scene(batch=4)
    clip = [x.reshape(2, 2, 1, 20, 30) for x in (torch.log1p(depth) + noise, depth, valid)]
    fit = Alignment().fit(*clip)
    assert fit.scale.shape == (2, 1, 1, 1, 1)
    tall = Alignment().fit(*(x.reshape(2, 1, 40, 30) for x in clip))
    torch.testing.assert_close(fit.scale.flatten(), tall.scale.flatten())


def test_alignment_never_waits_for_the_device(forbid_syncs):
    depth, valid, noise = scene()
    with forbid_syncs():
        Alignment()(noise, depth, valid)


def test_result_is_float32_also_for_half_predictions():
    depth, valid, noise = scene()
    assert Alignment()(noise.bfloat16(), depth, valid).dtype == torch.float32
    assert Alignment()(noise, depth.double(), valid).dtype == torch.float64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": "inverse"}, "space must be one of log, depth, disparity, got 'inverse'"),
        ({"solver": "adam"}, "solver must be one of least_squares, .*, got 'adam'"),
        ({"scope": "frame"}, "scope must be one of video, image, got 'frame'"),
        ({"weighting": "none"}, "weighting must be one of uniform, relative"),
        ({"max_points": 1}, "max_points must be at least 2, got 1"),
        ({"near_m": 0.0}, "near_m must be positive"),
        ({"far_m": 1e-4}, "far_m must exceed near_m"),
        ({"far_m": "max"}, "far_m must be metres, 'truth' or None"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Alignment(**arguments)


def test_bad_shapes_are_named():
    depth, valid, noise = scene()
    with pytest.raises(ValueError, match="must have one shape"):
        Alignment()(noise[:, 0], depth, valid)
    with pytest.raises(ValueError, match="valid must be bool"):
        Alignment()(noise, depth, valid.float())


@pytest.mark.parametrize("size", [(30, 41), (41, 30), (20, 20), (64, 64)])
def test_large_images_are_fitted_at_the_nearest_pixels_of_a_small_grid(size):
    generator = torch.Generator().manual_seed(0)
    prediction, depth = torch.rand(2, 3, 1, *size, generator=generator, dtype=torch.double) + 1
    valid = torch.rand(3, 1, *size, generator=generator) > 0.3
    fit = Alignment(space="depth", fit_side=20).fit(prediction, depth, valid)
    factor = min(20 / max(size), 1.0)
    rows, columns = ((np.arange(int(n * factor)) / factor).astype(int) for n in size)
    for image in range(3):
        x, y, mask = (one[image, 0].numpy()[rows][:, columns] for one in (prediction, depth, valid))
        expected = np.polyfit(x[mask], y[mask], 1)
        found = fit.scale[image].item(), fit.shift[image].item()
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_clips_are_fitted_at_the_nearest_pixels_too():
    generator = torch.Generator().manual_seed(0)
    prediction, depth = torch.rand(2, 2, 5, 1, 24, 30, generator=generator) + 1
    valid = torch.ones_like(depth, dtype=torch.bool)
    fit = Alignment(space="depth", fit_side=10).fit(prediction, depth, valid)
    every_third = [one[..., ::3, ::3] for one in (prediction, depth, valid)]
    expected = Alignment(space="depth").fit(*every_third)
    assert torch.equal(fit.scale, expected.scale)
    assert torch.equal(fit.shift, expected.shift)
