import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.spatial import cKDTree

from ppvd.geometry import (
    DepthCanny,
    dilate,
    edge_chamfer,
    flying_points,
    intrinsics_from_fov,
    mean_distance,
    nearest_distances,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "points"


def load(case):
    tensors = load_file(GOLDEN / f"{case}.safetensors")
    maps = {name: value[None, None] for name, value in tensors.items()}
    results = json.loads((GOLDEN / f"{case}.json").read_text())["results"]
    return maps["in.pred"], maps["in.gt"], maps["in.mask"].bool(), tensors["in.K"][None], results


def brute_force(points, target):
    return np.linalg.norm(points[:, None] - target[None], axis=-1).min(axis=1).mean()


@pytest.mark.parametrize("case", ["odd", "holes", "no_edges"])
@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_distances_equal_our_specification(case, radius):
    prediction, depth, valid, intrinsics, results = load(case)
    reference = results[f"spec.chamfer.log.100_200.r{radius}"]
    near = dilate(DepthCanny()(depth, valid), radius)
    (found,) = edge_chamfer(prediction, depth, near, valid, intrinsics)
    expected = [float(reference[name]) for name in ("acc", "comp", "mean")]
    np.testing.assert_allclose([found.acc, found.comp, found.mean], expected, rtol=1e-9)


@pytest.mark.parametrize("case", ["odd", "holes"])
def test_distances_equal_depth_anything_3(case):
    prediction, depth, valid, intrinsics, results = load(case)
    reference = results["da3.evaluate_3d_reconstruction.edge.100_200.r2"]
    near = dilate(DepthCanny()(depth, valid), 2)
    (found,) = edge_chamfer(prediction, depth, near, valid, intrinsics)
    expected = [reference[name] for name in ("acc", "comp", "overall")]
    np.testing.assert_allclose([found.acc, found.comp, found.mean], expected, rtol=1e-6)


@pytest.mark.parametrize("case", ["odd", "holes"])
def test_full_target_equals_our_specification(case):
    prediction, depth, valid, intrinsics, results = load(case)
    reference = results["spec.chamfer.log.100_200.r2.target_full"]
    near = dilate(DepthCanny()(depth, valid), 2)
    (found,) = edge_chamfer(prediction, depth, near, valid, intrinsics, target="full")
    np.testing.assert_allclose(
        [found.acc, found.comp], [reference["acc"], reference["comp"]], rtol=1e-9
    )


def test_mean_distance_equals_brute_force():
    random = np.random.default_rng(0)
    points, target = random.normal(size=(120, 3)), random.normal(size=(90, 3))
    assert mean_distance(points, target) == pytest.approx(brute_force(points, target), rel=1e-12)


def test_shifting_a_plane_towards_the_camera_costs_the_shift():
    depth = torch.full((1, 1, 9, 9), 2.0)
    everywhere = torch.ones_like(depth).bool()
    k = intrinsics_from_fov(9, 9, horizontal_fov_deg=1.0)[None]  # almost parallel rays
    (found,) = edge_chamfer(depth - 1e-4, depth, everywhere, everywhere, k)
    assert found.acc == pytest.approx(1e-4, rel=1e-3)
    assert found.comp == pytest.approx(1e-4, rel=1e-3)


def test_images_of_a_batch_are_judged_alone():
    prediction, depth, valid, intrinsics, _ = load("holes")
    near = dilate(DepthCanny()(depth, valid), 1)
    other = [1.5 * prediction, depth, near, valid]
    pair = [torch.cat(two) for two in zip([prediction, depth, near, valid], other, strict=True)]
    found = edge_chamfer(*pair, intrinsics.expand(2, 3, 3))
    assert found[:1] == edge_chamfer(prediction, depth, near, valid, intrinsics)
    assert found[1:] == edge_chamfer(*other, intrinsics)
    assert found[0] != found[1]


def test_empty_or_broken_clouds_give_nan():
    points = np.ones((4, 3))
    assert math.isnan(mean_distance(points, points[:0]))
    assert math.isnan(mean_distance(points[:0], points))
    assert math.isnan(mean_distance(points * np.nan, points))
    assert math.isnan(mean_distance(points, points * np.inf))


def step_scene():
    depth = torch.full((1, 1, 12, 16), 2.0)
    depth[..., 8:] = 5.0
    valid = torch.ones_like(depth).bool()
    return depth, valid, DepthCanny()(depth, valid)


def test_a_point_between_two_surfaces_flies_and_the_surfaces_do_not():
    depth, valid, edges = step_scene()
    prediction = depth.clone()
    prediction[0, 0, 5, 8] = 3.0
    flying = flying_points(prediction, depth, edges, valid)
    assert flying.nonzero().tolist() == [[0, 0, 5, 8]]


def test_sharp_predictions_do_not_fly_even_where_they_are_wrong():
    depth, valid, edges = step_scene()
    for prediction in (depth, 0.5 * depth.minimum(torch.tensor(2.0)), 1.02 * depth):
        assert not flying_points(prediction, depth, edges, valid).any()
    one_pixel_off = depth.roll(1, dims=-1)
    one_pixel_off[..., 0] = 2.0
    assert not flying_points(one_pixel_off, depth, edges, valid).any()


def test_blur_flies_at_the_edge_only():
    depth, valid, edges = step_scene()
    blurred = torch.nn.functional.avg_pool2d(depth, 5, stride=1, padding=2, count_include_pad=False)
    flying = flying_points(blurred, depth, edges, valid)
    assert flying[..., 7:9].all(dim=-1).all()
    assert not flying[..., :6].any()
    assert not flying[..., 10:].any()


def test_a_point_on_a_third_surface_does_not_fly():
    depth, valid, edges = step_scene()
    depth[0, 0, 6, 8] = 3.0
    prediction = depth.clone()
    prediction[0, 0, 5, 8] = 3.0
    assert not flying_points(prediction, depth, edges, valid).any()


def test_points_away_from_edges_do_not_fly():
    depth, valid, edges = step_scene()
    prediction = torch.full_like(depth, 3.0)
    assert flying_points(prediction, depth, edges, valid).any()
    assert not flying_points(prediction, depth, torch.zeros_like(edges), valid).any()


@pytest.mark.parametrize("between", [1.5, 3.0])
def test_invalid_neighbours_are_no_surface(between):
    depth, valid, edges = step_scene()
    prediction = torch.full_like(depth, between)
    valid[..., 8:] = False
    assert not flying_points(prediction, depth.where(valid, 0.0), edges, valid).any()


def test_flying_does_not_depend_on_the_unit():
    depth, valid, edges = step_scene()
    prediction = torch.empty_like(depth).uniform_(
        1.0, 6.0, generator=torch.Generator().manual_seed(0)
    )
    flying = flying_points(prediction, depth, edges, valid)
    assert flying.any()
    assert torch.equal(flying, flying_points(64 * prediction, 64 * depth, edges, valid))


def test_bad_arguments_are_named():
    prediction, depth, valid, intrinsics, _ = load("no_edges")
    with pytest.raises(ValueError, match="target must be near or full, got 'all'"):
        edge_chamfer(prediction, depth, valid, valid, intrinsics, target="all")
    with pytest.raises(ValueError, match="tolerance must be positive, got 0"):
        flying_points(prediction, depth, valid, valid, tolerance=0.0)
    with pytest.raises(ValueError, match="radius must be at least 1 pixel"):
        flying_points(prediction, depth, valid, valid, radius=0)


def test_the_trees_hold_the_points_near_edges_alone_and_are_not_balanced(monkeypatch):
    built, asked = [], []

    class Watched(cKDTree):
        def __init__(self, points, **settings):
            built.append((len(points), settings))
            super().__init__(points, **settings)

        def query(self, points):
            asked.append(len(points))
            return super().query(points)

    monkeypatch.setattr("ppvd.geometry.chamfer.cKDTree", Watched)
    depth = torch.full((1, 1, 60, 80), 2.0)
    depth[..., 40:] = 5.0
    valid = torch.ones_like(depth).bool()
    near = torch.zeros_like(valid)
    near[..., 38:42] = True
    k = intrinsics_from_fov(60, 80, horizontal_fov_deg=60.0)[None]
    edge_chamfer(1.1 * depth, depth, near, valid, k)
    cheap = {"balanced_tree": False, "compact_nodes": False}
    assert built == [(4 * 60, cheap), (4 * 60, cheap)]
    assert asked == [4 * 60, 4 * 60]


def test_nearest_distances_are_one_a_point_and_nan_without_a_target():
    points, target = np.zeros((3, 3)), np.array([[0.0, 3.0, 4.0]])
    assert nearest_distances(points, target).tolist() == [5.0] * 3
    assert np.isnan(nearest_distances(points, target[:0])).all()
    assert mean_distance(points, target, squared=True) == 25.0


def test_unknown_units_are_named():
    one = torch.ones(1, 1, 2, 2)
    with pytest.raises(ValueError, match="unit must be m or log, got 'ft'"):
        edge_chamfer(one, one, one.bool(), one.bool(), torch.eye(3)[None], unit="ft")
