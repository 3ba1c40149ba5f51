import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ppvd.geometry import no_alignment
from ppvd.metrics import EdgeDistance, edge_distances

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "single"


def line(column, *, width=40):
    edges = torch.zeros(1, 1, 10, width, dtype=torch.bool)
    edges[..., column] = True
    return edges


@pytest.mark.parametrize("case", ["noisy", "neg_scale", "const_pred", "outliers"])
def test_distances_equal_syns_with_its_edges(case):
    canny = pytest.importorskip("skimage.feature").canny
    maps = load_file(GOLDEN / f"{case}.safetensors")
    results = json.loads((GOLDEN / f"{case}.json").read_text())["results"]
    depth, prediction, mask = maps["in.gt"], maps["in.pred_metric"], maps["in.mask"].bool()

    def edges(values):
        found = canny(values.clamp_min(1e-6).log().numpy(), sigma=1)
        return torch.from_numpy(found)[None, None]

    assert mask.all()  # theirs looks for edges across the zeros of holes
    found = edge_distances(edges(prediction), edges(depth) & mask)
    theirs = results["syns.metrics_ibims"]
    assert found["edge_acc"].item() == pytest.approx(theirs["EdgeAcc"], rel=1e-12)
    assert found["edge_comp"].item() == pytest.approx(theirs["EdgeComp"], rel=1e-12)


def test_an_edge_moved_aside_lies_that_far_away():
    found = edge_distances(line(13), line(10))
    assert found["edge_acc"] == found["edge_comp"] == 3.0


def test_a_far_edge_belongs_to_none_and_a_missing_one_costs_the_cap():
    both = line(10) | line(30)
    assert edge_distances(both, line(10))["edge_acc"] == 0.0
    found = edge_distances(line(10), both)
    assert found["edge_acc"] == 0.0
    assert found["edge_comp"] == 10.0
    assert edge_distances(line(30), line(10))["edge_acc"] == 10.0
    nothing = torch.zeros_like(line(0))
    found = edge_distances(nothing, line(10), cap_px=7.0)
    assert found["edge_acc"] == found["edge_comp"] == 7.0
    assert edge_distances(line(10), nothing)["edge_comp"].isnan()


def test_images_are_averaged_and_those_without_edges_counted():
    depth = torch.full((3, 1, 16, 24), 2.0)
    depth[..., 12:] = 5.0
    depth[2] = 1.0
    prediction = depth.clone()
    prediction[1] = 2.0
    prediction[1, ..., 14:] = 5.0
    metric = EdgeDistance(no_alignment())
    metric.update(prediction, depth, torch.ones_like(depth).bool())
    found = metric.compute()
    assert found["edge_acc"] == found["edge_comp"] == 1.0
    assert found["num_without_edges"] == 1
    metric.update(torch.full_like(depth, torch.nan), depth, torch.ones_like(depth).bool())
    assert metric.compute()["edge_acc"].isnan()


def test_bad_cap_is_named():
    with pytest.raises(ValueError, match="cap_px must be positive pixels, got 0"):
        EdgeDistance(cap_px=0.0)
