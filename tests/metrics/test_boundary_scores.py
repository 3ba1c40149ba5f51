import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ppvd.geometry import no_alignment
from ppvd.metrics import BoundaryF1, DiscBoundaryF1, boundary_f1, disc_boundary_f1

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "single"
CASES = sorted(path.stem for path in GOLDEN.glob("*.json"))


def load(case):
    tensors = load_file(GOLDEN / f"{case}.safetensors")
    maps = [tensors[f"in.{name}"][None, None] for name in ("pred_metric", "gt", "mask")]
    return (*maps[:2], maps[2].bool()), json.loads((GOLDEN / f"{case}.json").read_text())["results"]


def step(*, at=8, near=2.0, far=3.0):
    depth = torch.full((1, 1, 12, 16), near)
    depth[..., at:] = far
    return depth


@pytest.mark.parametrize("case", CASES)
def test_f1_equals_depth_pro(case):
    (prediction, depth, valid), results = load(case)
    found = boundary_f1(prediction, depth, valid, parity=True).item()
    assert found == pytest.approx(results["depthpro.SI_boundary_F1"], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("radius", [1, 2, 3])
def test_disc_f1_equals_moge(case, radius):
    maps, results = load(case)
    found = disc_boundary_f1(*maps, radius=radius, parity=True).item()
    # Theirs is counted in float32.
    assert found == pytest.approx(results[f"moge.boundary_f1.r{radius}"], rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("f1", [boundary_f1, disc_boundary_f1])
def test_truth_is_perfect_whatever_its_scale_and_a_flat_map_finds_nothing(f1):
    depth, valid = step(), torch.ones(1, 1, 12, 16, dtype=torch.bool)
    assert f1(7.0 * depth, depth, valid) == pytest.approx(1.0)
    assert f1(torch.ones_like(depth), depth, valid) == 0.0
    assert f1(step(at=11), depth, valid) == 0.0


@pytest.mark.parametrize("f1", [boundary_f1, disc_boundary_f1])
def test_what_is_invalid_makes_no_boundary(f1):
    depth, valid = step(), torch.ones(1, 1, 12, 16, dtype=torch.bool)
    valid[..., 3:5, :] = False
    holed, wild = depth.where(valid, 0.0), step().where(valid, torch.nan)
    assert f1(wild, holed, valid) == pytest.approx(1.0)
    assert f1(depth, holed, torch.ones_like(valid)) < 0.9


@pytest.mark.parametrize("kind", [BoundaryF1, DiscBoundaryF1])
def test_metrics_average_images_and_count_those_without_boundaries(kind):
    depth = torch.cat([step(), step(), step()])
    prediction = torch.cat([step(), step(at=3), step()])
    valid = torch.ones_like(depth).bool()
    valid[2] = False
    metric = kind(no_alignment())
    metric.update(prediction, depth, valid)
    found = metric.compute()
    assert found[metric.names[0]] == pytest.approx(0.5)
    assert found["num_without_boundaries"] == 1


def test_maps_smaller_than_the_disc_have_no_boundaries():
    tiny = torch.ones(1, 1, 2, 3)
    assert disc_boundary_f1(tiny, tiny, tiny.bool(), radius=2).isnan()
    assert boundary_f1(tiny[..., :1, :1], tiny[..., :1, :1], tiny[..., :1, :1].bool()).isnan()


def test_parity_counts_directions_without_boundaries():
    depth, valid = step(), torch.ones(1, 1, 12, 16, dtype=torch.bool)
    assert boundary_f1(depth, depth, valid) == pytest.approx(1.0)
    assert boundary_f1(depth, depth, valid, parity=True) == pytest.approx(0.25)


def test_ratios_beyond_the_truth_have_no_score():
    depth, valid = step(far=2.3), torch.ones(1, 1, 12, 16, dtype=torch.bool)
    assert boundary_f1(depth, depth, valid) == pytest.approx(1.0)
    assert disc_boundary_f1(depth, depth, valid) == pytest.approx(1.0)
    assert disc_boundary_f1(depth, depth, valid, parity=True) < 0.6


@pytest.mark.parametrize("kind", [BoundaryF1, DiscBoundaryF1])
def test_a_broken_prediction_shows(kind):
    depth, metric = step(), kind(no_alignment())
    metric.update(torch.full_like(depth, torch.nan), depth, torch.ones_like(depth).bool())
    found = metric.compute()
    assert found[metric.names[0]].isnan()
    assert found["num_without_boundaries"] == 0


def test_bad_radius_is_named():
    with pytest.raises(ValueError, match="radius must be at least 1 pixel, got 0"):
        DiscBoundaryF1(radius=0)
    one = torch.ones(1, 1, 4, 4)
    with pytest.raises(ValueError, match="radius must be at least 1 pixel, got 0"):
        disc_boundary_f1(one, one, one.bool(), radius=0)
