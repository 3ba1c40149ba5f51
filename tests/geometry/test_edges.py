from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.ndimage import binary_dilation

from ppvd.geometry import DepthCanny, dilate

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "points"


def load(case):
    tensors = load_file(GOLDEN / f"{case}.safetensors")
    maps = {name: value[None, None] for name, value in tensors.items()}
    maps["in.mask"] = maps["in.mask"].bool()
    return maps


@pytest.mark.parametrize(
    ("canny", "key"),
    [
        (DepthCanny(), "canny_100_200_l1"),
        (DepthCanny(euclidean=True), "canny_100_200_l2"),
        (DepthCanny(aperture=5), "canny_100_200_ap5"),
        (DepthCanny(low_threshold=50.0, high_threshold=100.0), "canny_50_100_l1"),
    ],
)
def test_edges_equal_opencv_on_the_reference_picture(canny, key):
    maps = load("odd")
    edges = canny(maps["in.gt"], maps["in.mask"])
    assert torch.equal(edges, maps[f"out.cv2.{key}"].bool())
    assert edges.any()


@pytest.mark.parametrize("case", ["odd", "holes", "no_edges"])
@pytest.mark.parametrize(("space", "name"), [("log", "log"), ("depth", "linear")])
@pytest.mark.parametrize("radius", [0, 1, 2, 3])
def test_bands_equal_our_specification(case, space, name, radius):
    maps = load(case)
    band = dilate(DepthCanny(space=space)(maps["in.gt"], maps["in.mask"]), radius)
    expected = maps[f"spec.edge_{name}_100_200_r{radius}"].bool()
    assert torch.equal(band & maps["in.mask"], expected)


def test_an_edge_lies_at_the_step_and_nowhere_else():
    depth = torch.full((1, 1, 20, 30), 2.0)
    depth[..., 15:] = 5.0
    edges = DepthCanny()(depth, torch.ones_like(depth).bool())
    assert edges[..., 14:16].any(dim=-1).all()
    assert not edges[..., :14].any()
    assert not edges[..., 16:].any()


def test_the_border_of_a_hole_is_no_edge():
    depth = torch.full((1, 1, 20, 30), 2.0)
    depth[..., 20:] = 5.0  # so that the picture has a range
    valid = torch.ones_like(depth).bool()
    valid[..., 5:12, 5:12] = False
    depth = depth.where(valid, 0.0)
    assert not DepthCanny()(depth, valid)[..., :15].any()


def test_edges_do_not_depend_on_the_scale_of_log_depth():
    depth = load("odd")["in.gt"]
    valid = torch.ones_like(depth).bool()
    assert torch.equal(DepthCanny()(depth, valid), DepthCanny()(7.0 * depth, valid))


def test_maps_without_edges_have_none():
    constant, valid = torch.full((2, 1, 9, 9), 3.0), torch.ones(2, 1, 9, 9).bool()
    assert not DepthCanny()(constant, valid).any()
    assert not DepthCanny()(constant, ~valid).any()
    assert DepthCanny()(constant[:0], valid[:0]).shape == (0, 1, 9, 9)


def test_images_of_a_batch_do_not_touch_each_other():
    maps = load("holes")
    pair = torch.cat([maps["in.gt"], 3.0 + 0.0 * maps["in.gt"]])
    edges = DepthCanny()(pair, maps["in.mask"].expand_as(pair))
    assert torch.equal(edges[:1], DepthCanny()(maps["in.gt"], maps["in.mask"]))
    assert not edges[1].any()


@pytest.mark.parametrize("radius", [0, 1, 3])
def test_dilation_equals_scipy(radius):
    mask = torch.rand(2, 1, 13, 17, generator=torch.Generator().manual_seed(0)) < 0.05
    square = np.ones((2 * radius + 1, 2 * radius + 1), dtype=bool)
    expected = [binary_dilation(one, square) for one in mask[:, 0].numpy()]
    np.testing.assert_array_equal(dilate(mask, radius)[:, 0].numpy(), np.stack(expected))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": "disparity"}, "space must be log or depth"),
        ({"aperture": 4}, "aperture must be 3, 5 or 7, got 4"),
        ({"low_threshold": 300.0}, "low_threshold <= high_threshold"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        DepthCanny(**arguments)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"must both have shape \(B, 1, H, W\)"):
        DepthCanny()(torch.ones(4, 4), torch.ones(4, 4).bool())
    with pytest.raises(ValueError, match="radius must be at least 0 pixels, got -1"):
        dilate(torch.ones(1, 1, 4, 4).bool(), -1)
