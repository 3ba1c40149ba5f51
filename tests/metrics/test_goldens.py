"""Every number of the public evaluations: reproduced here or elsewhere, or said why it is not."""

import json
import math
from fnmatch import fnmatch
from pathlib import Path

import pytest
from safetensors.torch import load_file

from ppvd.geometry import (
    Alignment,
    DepthCanny,
    depthcrafter_alignment,
    dilate,
    edge_chamfer,
    moge_alignment,
    no_alignment,
    vda_alignment,
)
from ppvd.metrics import DepthErrors

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "metrics"

# Key of the golden files to the test that reproduces it, in this file where none is named.
REPRODUCED = {
    "ppd.seed*": "metrics/test_depth_errors.py::test_ppd_preset_equals_the_released_evaluation",
    "ppd.align_vda.*": "geometry/test_presets.py::test_video_fits_equal_theirs",
    "marigold.least_square*": "metrics/test_depth_errors.py::test_marigold_preset_equals",
    "dav2.eval_depth": "",
    "midas.*": "geometry/test_presets.py::test_midas",
    "vda.loss.compute_scale_and_shift.*": "geometry/test_presets.py::test_frames_have_fits",
    "moge.align_depth_affine.f64": "geometry/test_presets.py::test_moge_equals_its_exact_solvers",
    "moge.align_depth_scale.f64": "geometry/test_presets.py::test_moge_equals_its_exact_solvers",
    "moge.align_affine_lstsq_disp.f64": "geometry/test_presets.py::test_moge_equals_its_exact",
    "moge.boundary_f1.*": "metrics/test_boundary_scores.py::test_disc_f1_equals_moge",
    "moge.compute_metrics.*": "",
    "depthpro.SI_boundary_F1": "metrics/test_boundary_scores.py::test_f1_equals_depth_pro",
    "cut3r.metric": "metrics/test_depth_errors.py::test_cut3r_preset_equals_its_evaluation",
    "cut3r.scale_weiszfeld": "metrics/test_depth_errors.py::test_cut3r_preset_equals",
    "vda.eval_depthcrafter.first_half": "",
    "depthcrafter.eval_single.disp": "",
    "cut3r.video.metric": "",
    "cut3r.video.lstsq": "",
    "vda.eval_depthcrafter": "metrics/test_temporal_metrics.py::test_clip_errors_equal",
    "depthcrafter.eval_single.depth": "metrics/test_temporal_metrics.py::test_clip_errors_equal",
    "vda.eval_TAE": "metrics/test_temporal_metrics.py::test_tae_with_parity_equals",
    "geometrycrafter.ssi_disp": "geometry/test_presets.py::test_video_fits_equal_theirs",
    "geometrycrafter.depth_*": "",
    "unidepth.DICT_METRICS": "",
    "nvds.compute_errors_metric": "",
    "patchfusion.compute_errors": "",
    "syns.metrics_eigen": "",
    "syns.metrics_ibims": "metrics/test_edge_distance.py::test_distances_equal_syns",
    "da3.evaluate_3d_reconstruction.full.*": "metrics/test_cloud_score.py::test_scores_equal_depth",
    "da3.evaluate_3d_reconstruction.edge.100_200.r2": "geometry/test_chamfer.py::test_distances",
    "da3.evaluate_3d_reconstruction.edge.50_100.r2": "",
}
# What no preset or metric of ours is meant to equal.
NOT_OURS = {
    "moge.*.f32": "the same in single precision",
    "moge.align_*_trunc*": "for its training losses; its evaluation does not truncate",
    "moge.align_affine_lstsq_weighted_depth.*": "0 and 1 whatever is fitted: not what it is for",
    "depthpro.SI_boundary_Recall": "needs mattes",
    "depthpro.boundary_f1.*": "parts of SI_boundary_F1, which is reproduced",
    "flashdepth.SI_boundary_F1_on_depth": "Depth Pro's score, of depth in place of its inverse",
    "flashdepth.depth_consistency_scale_std": "Drift leaves out empty frames, which it counts as 1",
    "cut3r.lad2_adam": "an optimiser that does not arrive; ours is the optimum",
    "cut3r.lstsq*": "options that its evaluation does not take",
    "cut3r.*median": "options that its evaluation does not take",
    "cut3r.video.scale_weiszfeld": "ten steps in single precision; one image is reproduced",
    "geometrycrafter.recover_scale_and_shift_*": "alignments of its own",
    "patchfusion.see": "soft edge error in metres, not offered",
    "patchrefiner.*": "edges of disparity, not offered",
    "sharpdepth.*": "edges without a mask, not offered",
    "syns.metrics_benchmark": "errors of inverse and log depth, not offered",
    "vda.loss.TGM.*": "a training loss with scales of time",
    "vda.loss.VideoDepthLoss": "a training loss",
    "vda.tae_torch.*": "parts of eval_TAE, in single precision",
    "resize.*": "DAv2's errors after resizing by PyTorch and OpenCV themselves",
}


def keys():
    records = (json.loads(path.read_text()) for path in GOLDEN.glob("*/*.json"))
    found = {key for record in records if "results" in record for key in record["results"]}
    return sorted(key for key in found if not key.startswith("spec."))


def test_every_number_is_reproduced_or_said_not_to_be_ours():
    assert len(keys()) > 50
    for key in keys():
        assert any(fnmatch(key, pattern) for pattern in [*REPRODUCED, *NOT_OURS]), key
    for pattern in [*REPRODUCED, *NOT_OURS]:
        known = pattern.startswith("resize") or any(fnmatch(key, pattern) for key in keys())
        assert known, f"{pattern} is in no golden file"


@pytest.mark.parametrize("place", sorted(filter(None, set(REPRODUCED.values()))))
def test_the_test_that_reproduces_a_number_is_there(place):
    file, name = place.split("::")
    assert f"def {name}" in (ROOT / "tests" / file).read_text()


def load(case, folder="single"):
    tensors = load_file(GOLDEN / folder / f"{case}.safetensors")
    maps = {name: value[None, None] for name, value in tensors.items() if value.ndim == 2}
    maps["in.mask"] = maps["in.mask"].bool()
    return maps, json.loads((GOLDEN / folder / f"{case}.json").read_text())["results"]


def scored(alignment, prediction, maps):
    metric = DepthErrors(alignment, min_pixels=1)
    metric.update(prediction, maps["in.gt"], maps["in.mask"])
    return {name: value.item() for name, value in metric.compute().items()}


def depth_anything_silog(errors):
    """Theirs subtracts half of the squared mean, where ours subtracts all of it."""
    return math.sqrt((errors["rmse_log"] ** 2 + errors["silog"] ** 2) / 2)


UNALIGNED = {
    "dav2.eval_depth": {
        "abs_rel": "abs_rel", "sq_rel": "sq_rel", "rmse": "rmse", "rmse_log": "rmse_log",
        "log10": "log10", "d1": "delta1", "d2": "delta2", "d3": "delta3",
    },
    "nvds.compute_errors_metric": {
        "abs_rel": "abs_rel", "sq_rel": "sq_rel", "rmse": "rmse", "d1": "delta1", "d2": "delta2",
        "d3": "delta3",
    },
    "patchfusion.compute_errors": {
        "abs_rel": "abs_rel", "sq_rel": "sq_rel", "rmse": "rmse", "rmse_log": "rmse_log",
        "log_10": "log10", "a1": "delta1", "a2": "delta2", "a3": "delta3",
    },
    "unidepth.DICT_METRICS": {
        "arel": "abs_rel", "sqrel": "sq_rel", "rmse": "rmse", "rmselog": "rmse_log",
        "log10": "log10", "d1": "delta1", "d2": "delta2", "d3": "delta3",
    },
    "syns.metrics_eigen": {
        "AbsRel": "abs_rel", "SqRel": "sq_rel", "RMSE": "rmse", "LogRMSE": "rmse_log",
        "$\\delta < 1.25$": "delta1", "$\\delta < 1.25^2$": "delta2",
        "$\\delta < 1.25^3$": "delta3",
    },
}  # fmt: skip


@pytest.mark.parametrize("case", ["noisy", "holes", "far", "const_gt", "outliers", "two_valid"])
def test_errors_of_metres_equal_five_evaluations(case):
    maps, results = load(case)
    found = scored(no_alignment(), maps["in.pred_metric"], maps)
    for source, names in UNALIGNED.items():
        for theirs, ours in names.items():
            expected = pytest.approx(results[source][theirs], rel=1e-6, abs=1e-7)
            assert found[ours] == expected, (source, theirs)
    silog = results["dav2.eval_depth"]["silog"]
    assert depth_anything_silog(found) == pytest.approx(silog, rel=1e-6)
    silog = results["patchfusion.compute_errors"]["silog"]
    assert 100 * found["silog"] == pytest.approx(silog, rel=2e-6)
    error, inliers = (
        results[f"geometrycrafter.depth_{n}"] for n in ("rel_error", "inlier_percent")
    )
    assert found["abs_rel"] == pytest.approx(error, rel=1e-6)
    assert found["delta1"] == pytest.approx(inliers, rel=1e-6)


COMPOSITES = {
    "depth_metric": (no_alignment(), "in.pred_metric", 2e-6),
    "disparity_affine_invariant": (moge_alignment(invariance="disparity"), "inverse", 2e-6),
    # Theirs are fitted to a grid of 64 x 64 nearest pixels, which repeats some of these small maps.
    "depth_scale_invariant": (moge_alignment(invariance="scale"), "in.pred_metric", 3e-4),
    "depth_affine_invariant": (moge_alignment(), "in.pred_metric", 3e-4),
}


@pytest.mark.parametrize("case", ["noisy", "holes", "far", "outliers", "two_valid"])
@pytest.mark.parametrize("name", COMPOSITES)
def test_composites_equal_moge(case, name):
    maps, results = load(case)
    maps["inverse"] = maps["in.pred_metric"].reciprocal()
    alignment, prediction, tolerance = COMPOSITES[name]
    found = scored(alignment, maps[prediction], maps)
    theirs = results["moge.compute_metrics.depth_metric"][name]
    assert found["abs_rel"] == pytest.approx(theirs["rel"], rel=tolerance, abs=1e-7)
    assert found["delta1"] == pytest.approx(theirs["delta1"], abs=1e-6)


def load_clip(case):
    tensors = load_file(GOLDEN / "video" / f"{case}.safetensors")
    maps = {name: value[None, :, None] for name, value in tensors.items() if "_depth" in name}
    maps["in.pred_disp"] = tensors["in.pred_disp"][None, :, None].double()
    record = json.loads((GOLDEN / "video" / f"{case}.json").read_text())
    maps["in.mask"] = (maps["in.gt_depth"] > 1e-3) & (maps["in.gt_depth"] < record["dmax"])
    maps["in.gt"] = maps["in.gt_depth"]
    return maps, record["results"], record["dmax"]


@pytest.mark.parametrize("case", ["base", "drift", "empty_frame", "far"])
def test_clips_equal_video_depth_anything_of_fewer_frames_and_depthcrafter_by_disparity(case):
    maps, results, far_m = load_clip(case)
    domain = depthcrafter_alignment(far_m=far_m, domain="disp")
    found = scored(domain, maps["in.pred_disp"], maps)
    theirs = results["depthcrafter.eval_single.disp"]
    assert found["abs_rel"] == pytest.approx(theirs["abs_relative_difference"], rel=1e-6)
    assert found["delta1"] == pytest.approx(theirs["delta1_acc"], rel=1e-6)
    half = {name: value[:, : value.shape[1] // 2] for name, value in maps.items()}
    found = scored(vda_alignment(far_m=far_m), half["in.pred_disp"], half)
    theirs = results["vda.eval_depthcrafter.first_half"]
    assert found["abs_rel"] == pytest.approx(theirs["abs_relative_difference"], rel=1e-6)
    assert found["rmse"] == pytest.approx(theirs["rmse_linear"], rel=1e-6)


@pytest.mark.parametrize("case", ["base", "drift", "empty_frame", "far"])
def test_pixels_of_clips_pooled_equal_cut3r(case):
    maps, results, _ = load_clip(case)
    fitted = Alignment(space="depth", near_m=1e-6, far_m=None)
    for name, alignment in {"metric": no_alignment(), "lstsq": fitted}.items():
        metric = DepthErrors(alignment, min_pixels=1, reduction="pixel_pool")
        metric.update(maps["in.pred_depth"].double(), maps["in.gt"], maps["in.gt"] > 0)
        found, theirs = metric.compute(), results[f"cut3r.video.{name}"]
        assert found["abs_rel"].item() == pytest.approx(theirs["Abs Rel"], rel=1e-6)
        assert found["rmse"].item() == pytest.approx(theirs["RMSE"], rel=2e-6)


@pytest.mark.parametrize("case", ["odd", "holes"])
def test_points_at_fainter_edges_equal_depth_anything_3(case):
    maps, results = load(case, "points")
    depth, valid = maps["in.gt"], maps["in.mask"]
    camera = load_file(GOLDEN / "points" / f"{case}.safetensors")["in.K"][None]
    near = dilate(DepthCanny(low_threshold=50.0, high_threshold=100.0)(depth, valid), 2)
    (found,) = edge_chamfer(maps["in.pred"], depth, near, valid, camera)
    theirs = results["da3.evaluate_3d_reconstruction.edge.50_100.r2"]
    for ours, name in ((found.acc, "acc"), (found.comp, "comp"), (found.mean, "overall")):
        assert ours == pytest.approx(theirs[name], rel=1e-6)
