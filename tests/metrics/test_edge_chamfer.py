import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from ppvd.geometry import Alignment, DepthCanny, intrinsics_from_fov
from ppvd.metrics import EdgeChamfer, decode_keys

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "points"
METRIC = Alignment(space="depth", solver="none", far_m=None)


def load(case):
    tensors = load_file(GOLDEN / f"{case}.safetensors")
    batch = {
        "prediction": tensors["in.pred"][None, None],
        "depth": tensors["in.gt"][None, None],
        "valid": tensors["in.mask"].bool()[None, None],
        "intrinsics": tensors["in.K"][None],
    }
    return batch, json.loads((GOLDEN / f"{case}.json").read_text())["results"]


def step_scene(batch=1, *, height=24, width=32):
    depth = torch.full((batch, 1, height, width), 2.0)
    depth[..., width // 2 :] = 5.0
    intrinsics = intrinsics_from_fov(height, width, horizontal_fov_deg=60.0).expand(batch, 3, 3)
    return {"depth": depth, "valid": torch.ones_like(depth).bool(), "intrinsics": intrinsics}


@pytest.mark.parametrize("case", ["odd", "holes"])
@pytest.mark.parametrize("dilation", [0, 1, 3])
def test_distances_equal_our_specification(case, dilation):
    batch, results = load(case)
    metric = EdgeChamfer(METRIC, dilation=dilation)
    metric.update(**batch)
    found, reference = metric.compute(), results[f"spec.chamfer.log.100_200.r{dilation}"]
    for ours, theirs in {"acc": "acc", "comp": "comp", "chamfer": "mean"}.items():
        assert found[ours].item() == pytest.approx(reference[theirs], rel=1e-6)


def test_every_choice_reaches_the_result():
    batch, results = load("odd")
    metric = EdgeChamfer(
        METRIC,
        canny=DepthCanny(low_threshold=50.0, high_threshold=100.0),
        dilation=2,
        target="full",
    )
    metric.update(**batch)
    reference = results["spec.chamfer.log.50_100.r2.target_full"]
    assert metric.compute()["chamfer"].item() == pytest.approx(reference["mean"], rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "key"), [({"unit": "log"}, "points_log1p"), ({"squared": True}, "squared")]
)
def test_units_and_squares_equal_our_specification(settings, key):
    batch, results = load("odd")
    metric = EdgeChamfer(METRIC, dilation=2, **settings)
    metric.update(**batch)
    reference = results[f"spec.chamfer.log.100_200.r2.{key}"]
    for ours, theirs in {"acc": "acc", "comp": "comp", "chamfer": "mean"}.items():
        assert metric.compute()[ours].item() == pytest.approx(reference[theirs], rel=1e-6)


def test_table_has_the_images_keys():
    scene = step_scene(batch=2)
    scene["depth"][1] = 3.0
    metric = EdgeChamfer(METRIC, table=True)
    metric.update(prediction=1.1 * scene["depth"], **scene, key=["a", "b"])
    found = metric.compute()
    assert decode_keys(found["key"]) == ["a", "b"]
    assert found["chamfer"].isnan().tolist() == [False, True]


def test_log_predictions_are_aligned_first():
    scene = step_scene()
    metric = EdgeChamfer()
    metric.update(prediction=3.0 - 2.0 * torch.log1p(scene["depth"]), **scene)
    assert metric.compute()["chamfer"] < 1e-5


def test_blur_costs_more_than_a_wrong_scale_of_the_same_error():
    scene = step_scene()
    log = torch.log1p(scene["depth"])
    blurred = F.avg_pool2d(log, 5, stride=1, padding=2, count_include_pad=False)
    metric = EdgeChamfer(METRIC)
    metric.update(prediction=blurred.expm1(), **scene)
    found = metric.compute()
    sharp = EdgeChamfer(METRIC)
    error = ((blurred.expm1() - scene["depth"]).abs() / scene["depth"]).mean()
    sharp.update(prediction=scene["depth"] * (1.0 + error), **scene)
    assert found["acc"] > 2.0 * sharp.compute()["acc"]


def test_images_without_edges_are_counted_and_not_averaged():
    scene = step_scene(batch=3)
    scene["depth"][1] = 3.0
    scene["valid"][2] = False
    metric = EdgeChamfer(METRIC)
    metric.update(prediction=1.1 * scene["depth"], **scene)
    found = metric.compute()
    assert found["num_without_edges"] == 2
    first = {name: value[:1] for name, value in scene.items()}
    alone = EdgeChamfer(METRIC)
    alone.update(prediction=1.1 * first["depth"], **first)
    assert found["chamfer"] == alone.compute()["chamfer"] > 0.0


def test_no_edges_at_all_gives_nan():
    batch, _ = load("no_edges")
    metric = EdgeChamfer()
    metric.update(**batch)
    found = metric.compute()
    assert found["num_without_edges"] == 1
    assert found["chamfer"].isnan()


def test_an_empty_batch_adds_nothing():
    batch, _ = load("odd")
    metric = EdgeChamfer(METRIC)
    metric.update(**{name: value[:0] for name, value in batch.items()})
    assert metric.compute()["num_without_edges"] == 0


def test_a_broken_prediction_shows():
    scene = step_scene()
    metric = EdgeChamfer()
    metric.update(prediction=torch.full_like(scene["depth"], torch.nan), **scene)
    assert metric.compute()["chamfer"].isnan()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="dilation must be at least 0 pixels, got -1"):
        EdgeChamfer(dilation=-1)
    with pytest.raises(ValueError, match="target must be near or full, got 'all'"):
        EdgeChamfer(target="all")
    with pytest.raises(ValueError, match="unit must be m or log, got 'km'"):
        EdgeChamfer(unit="km")


def test_frames_of_a_clip_are_measured_one_by_one():
    scene = step_scene(3)
    prediction = scene["depth"] + torch.linspace(0, 0.4, 3).reshape(3, 1, 1, 1)
    frames, clip = EdgeChamfer(METRIC), EdgeChamfer(METRIC)
    frames.update(prediction, **scene)
    clip.update(prediction[None], **{name: value[None] for name, value in scene.items()})
    assert clip.compute() == frames.compute()
    assert clip.compute()["chamfer"] > 0.05
