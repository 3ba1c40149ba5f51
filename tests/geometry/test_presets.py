"""Each preset against the public evaluation that it is named after."""

import json
from pathlib import Path

import jsonargparse
import pytest
import torch
from safetensors.torch import load_file

import ppvd
from ppvd.geometry import (
    Alignment,
    cut3r_alignment,
    depthcrafter_alignment,
    fit_scale,
    marigold_alignment,
    midas_alignment,
    moge_alignment,
    no_alignment,
    ppd_alignment,
    vda_alignment,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics"
SINGLE = sorted(path.stem for path in (GOLDEN / "single").glob("*.json"))
FITTED = sorted(set(SINGLE) - {"all_invalid", "single_valid", "const_pred"})
VIDEO = ["base", "drift", "empty_frame", "far", "single_frame"]


def load(case):
    tensors = load_file(GOLDEN / "single" / f"{case}.safetensors")
    maps = {name: value[None, None] for name, value in tensors.items()}
    maps["in.mask"] = maps["in.mask"].bool()
    return maps, json.loads((GOLDEN / "single" / f"{case}.json").read_text())["results"]


def load_video(case):
    maps = load_file(GOLDEN / "video" / f"{case}.safetensors")
    record = json.loads((GOLDEN / "video" / f"{case}.json").read_text())
    depth = maps["in.gt_depth"][None, :, None]
    valid = (depth > 1e-3) & (depth < record["dmax"])
    return maps["in.pred_disp"][None, :, None], depth, valid, record


def numbers(fit):
    return [fit.scale.item(), fit.shift.item()]


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 666])
@pytest.mark.parametrize("case", sorted({*FITTED, "const_pred"} - {"const_gt"}))
def test_ppd_equals_the_released_evaluation_draw_by_draw(case, seed):
    maps, results = load(case)
    reference = results[f"ppd.seed{seed}"]
    fit = ppd_alignment(seed=seed).fit(maps["in.pred_log"], maps["in.gt"], maps["in.mask"])
    # Theirs is solved in float32.
    assert numbers(fit) == pytest.approx([reference["a"], reference["b"]], rel=1e-6, abs=2e-7)


@pytest.mark.parametrize("case", FITTED)
@pytest.mark.parametrize(("space", "key"), [("depth", "depth"), ("disparity", "disp")])
def test_marigold_and_midas_equal_theirs_where_there_is_a_line_to_fit(case, space, key):
    maps, results = load(case)
    prediction, truth = maps[f"in.pred_{key}"], (maps["in.gt"], maps["in.mask"])
    suffix = "" if space == "depth" else "_disparity"
    theirs = results[f"marigold.least_square{suffix}"]
    fit = marigold_alignment(space=space).fit(prediction, *truth)
    # Theirs is solved in float32, and badly where the fit is (a few pixels, reversed, far).
    expected = pytest.approx([theirs["scale"], theirs["shift"]], rel=4e-5, abs=1e-6)
    assert numbers(fit) == expected
    fit = Alignment(space=space).fit(prediction, *truth)
    assert numbers(fit) == pytest.approx(results[f"midas.nvds_{key}"], rel=4e-5, abs=1e-5)


@pytest.mark.parametrize("case", SINGLE)
def test_midas_gives_nothing_where_its_solver_gives_up(case):
    maps, results = load(case)
    fit = midas_alignment(parity=True).fit(maps["in.pred_disp"], maps["in.gt"], maps["in.mask"])
    for key in ("midas.nvds_disp", "midas.vda_loss_disp"):
        assert numbers(fit) == pytest.approx(results[key], rel=4e-5, abs=1e-5), key
    if case in FITTED:  # elsewhere this one returns (1, 0)
        assert numbers(fit) == pytest.approx(results["midas.vda_util_disp"], rel=4e-5, abs=1e-5)


@pytest.mark.parametrize("case", SINGLE)
def test_scale_alone_equals_video_depth_anything(case):
    maps, results = load(case)
    disparity = maps["in.gt"].double().where(maps["in.mask"], 1.0).reciprocal()
    fit = fit_scale(maps["in.pred_disp"].double(), disparity, maps["in.mask"])
    theirs = results["midas.vda_util_scale_only_disp"]
    assert numbers(fit) == pytest.approx([theirs, 0.0], rel=2e-6)


@pytest.mark.parametrize("case", sorted(set(SINGLE) - {"all_invalid", "const_pred"}))
def test_moge_equals_its_exact_solvers(case):
    maps, results = load(case)
    truth = maps["in.gt"], maps["in.mask"]
    settings = {"space": "depth", "weighting": "relative", "max_points": 1500}
    affine = Alignment(solver="l1", **settings).fit(maps["in.pred_depth"], *truth)
    expected = results["moge.align_depth_affine.f64"]
    assert numbers(affine) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    scale = Alignment(solver="l1_scale", **settings).fit(maps["in.pred_depth"], *truth)
    assert scale.scale.item() == pytest.approx(results["moge.align_depth_scale.f64"], rel=1e-9)
    disparity = moge_alignment(invariance="disparity").fit(maps["in.pred_disp"], *truth)
    expected = results["moge.align_affine_lstsq_disp.f64"]
    if case != "single_valid":  # the line of least norm through one point
        assert numbers(disparity) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("case", VIDEO)
def test_video_fits_equal_theirs(case):
    prediction, depth, valid, record = load_video(case)
    theirs = record["results"]["geometrycrafter.ssi_disp"]
    for preset in (vda_alignment, depthcrafter_alignment):
        fit = preset(far_m=record["dmax"]).fit(prediction, depth, valid)
        assert numbers(fit) == pytest.approx([theirs["scale"], theirs["shift"]], rel=2e-6)


@pytest.mark.parametrize("case", VIDEO)
def test_frames_have_fits_of_their_own_if_asked(case):
    prediction, depth, valid, record = load_video(case)
    fit = midas_alignment(parity=True).fit(prediction, depth, valid)
    theirs = record["results"]["vda.loss.compute_scale_and_shift.per_frame"]
    got = torch.stack([fit.scale.flatten(), fit.shift.flatten()])
    torch.testing.assert_close(got, torch.tensor(theirs).double(), rtol=4e-5, atol=2e-5)


@pytest.mark.parametrize("shift", [False, True])
def test_cut3r_is_the_optimum_and_with_parity_close_to_it(shift):
    maps, _ = load("noisy")
    prediction, depth, valid = maps["in.pred_metric"], maps["in.gt"], maps["in.mask"]

    def loss(alignment):
        fit = alignment.fit(prediction, depth, valid)
        return (fit.scale * prediction + fit.shift - depth).abs()[valid].sum().item()

    best = loss(cut3r_alignment(shift=shift))
    assert best <= loss(cut3r_alignment(shift=shift, parity=True)) <= 1.001 * best
    assert best < loss(Alignment(space="depth", solver="least_squares" if shift else "scale"))


def test_parity_of_ppd_keeps_its_fallbacks():
    maps, results = load("neg_scale")
    truth = maps["in.gt"], maps["in.mask"]
    fit = ppd_alignment(parity=True).fit(maps["in.pred_log"], *truth)
    assert results["ppd.seed666"]["a"] < 0.0
    means = torch.log1p(maps["in.gt"].double()).mean() / maps["in.pred_log"].double().mean()
    assert numbers(fit) == pytest.approx([means.item(), 0.0], rel=1e-12)
    maps, _ = load("single_valid")
    fit = ppd_alignment(parity=True).fit(maps["in.pred_log"], maps["in.gt"], maps["in.mask"])
    assert numbers(fit) == [1.0, 0.0]


def test_no_alignment_takes_metres_as_they_are():
    depth = torch.tensor([0.5, 2.0]).reshape(1, 1, 1, 2)
    valid = torch.ones_like(depth).bool()
    assert torch.equal(no_alignment()(depth, 3.0 * depth, valid), depth)


def test_presets_are_built_from_yaml_by_their_path():
    jsonargparse.set_parsing_settings(subclasses_enabled=[Alignment])
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--alignment", type=Alignment)
    for name in ("cut3r", "depthcrafter", "marigold", "midas", "moge", "no", "ppd", "vda"):
        config = parser.parse_object({"alignment": {"class_path": f"ppvd.{name}_alignment"}})
        found = parser.instantiate(config).alignment
        assert found == getattr(ppvd, f"{name}_alignment")()
    arguments = {"class_path": "ppvd.vda_alignment", "init_args": {"far_m": 80.0}}
    config = parser.parse_object({"alignment": arguments})
    assert parser.instantiate(config).alignment == vda_alignment(far_m=80.0)


def test_a_preset_names_a_bad_choice():
    with pytest.raises(ValueError, match="invariance must be affine, scale or disparity"):
        moge_alignment(invariance="none")
