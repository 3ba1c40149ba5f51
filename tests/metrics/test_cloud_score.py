import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.spatial.distance import cdist

from ppvd.geometry import intrinsics_from_fov, no_alignment
from ppvd.metrics import CloudScore, cloud_scores

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "points"


@pytest.mark.parametrize("case", ["odd", "holes", "no_edges"])
@pytest.mark.parametrize("threshold", ["0.05", "0.1"])
def test_scores_equal_depth_anything_3(case, threshold):
    maps = load_file(GOLDEN / f"{case}.safetensors")
    results = json.loads((GOLDEN / f"{case}.json").read_text())["results"]
    metric = CloudScore(no_alignment(), threshold_m=float(threshold))
    images = [maps[f"in.{name}"][None, None] for name in ("pred", "gt", "mask")]
    metric.update(*images[:2], images[2].bool(), maps["in.K"][None])
    found = metric.compute()
    for name, value in results[f"da3.evaluate_3d_reconstruction.full.th{threshold}"].items():
        assert found[name].item() == pytest.approx(value, rel=1e-12), name


def test_scores_equal_all_pairs():
    rng = np.random.default_rng(0)
    points, target = rng.normal(size=(40, 3)), rng.normal(size=(50, 3))
    there, back = (cdist(points, target).min(axis=axis) for axis in (1, 0))
    found = cloud_scores(points, target, threshold_m=0.4)
    assert found["acc"] == pytest.approx(there.mean())
    assert found["comp"] == pytest.approx(back.mean())
    precision, recall = (there < 0.4).mean(), (back < 0.4).mean()
    assert 0.0 < precision != recall
    assert found["fscore"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_far_clouds_score_zero_and_empty_ones_nan():
    cloud = np.zeros((4, 3))
    far = cloud_scores(cloud, cloud + 9.0)
    assert far["fscore"] == far["precision"] == 0.0
    for pair in ((cloud, cloud[:0]), (cloud[:0], cloud), (cloud * np.nan, cloud)):
        assert all(np.isnan(value) for value in cloud_scores(*pair).values())


def test_images_are_averaged_thinned_and_counted():
    depth = torch.full((3, 1, 8, 10), 2.0)
    valid = torch.ones_like(depth).bool()
    valid[2] = False
    k = intrinsics_from_fov(8, 10, horizontal_fov_deg=60.0).expand(3, 3, 3)
    metric = CloudScore(no_alignment(), stride=2, threshold_m=0.5)
    metric.update(depth + torch.tensor([0.25, 1.0, 0.0]).reshape(3, 1, 1, 1), depth, valid, k)
    found = metric.compute()
    assert found["num_without_truth"] == 1
    assert 0.5 <= found["fscore"] < 1.0
    holes = torch.zeros_like(valid)
    holes[..., 1::2, :] = True  # rows that a stride of two leaves out
    metric.reset()
    metric.update(depth, depth, holes, k)
    assert metric.compute()["num_without_truth"] == 3


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="threshold_m must be positive metres, got 0"):
        CloudScore(threshold_m=0.0)
    with pytest.raises(ValueError, match="stride must be at least 1 pixel, got 0"):
        CloudScore(stride=0)
