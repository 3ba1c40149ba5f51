from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.ndimage import binary_dilation, distance_transform_edt

from ppvd.geometry import DepthCanny, dilate
from ppvd.geometry.device_edges import fill_from_nearest

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


@pytest.mark.parametrize("space", ["log", "depth"])
@pytest.mark.parametrize(
    ("low", "high", "disagreement"),
    [(100.0, 200.0, 0.0), (50.0, 100.0, 0.0), (20.0, 60.0, 0.25)],
)
def test_kornia_s_disagreement_with_opencv_without_holes(space, low, high, disagreement):
    maps = load("odd")
    settings = {"space": space, "low_threshold": low, "high_threshold": high, "euclidean": True}
    filled = maps["in.gt"], torch.ones_like(maps["in.mask"])
    reference = DepthCanny(**settings)(*filled)
    assert reference.sum() > 200
    found = DepthCanny(**settings, engine="kornia")(*filled)
    assert (found ^ reference).sum() / reference.sum() <= disagreement


def test_kornia_disagrees_around_holes_only():
    depth = torch.full((1, 1, 24, 40), 2.0)
    depth[..., 20:] = 5.0
    valid = torch.ones_like(depth).bool()
    valid[..., 5:15, 17:24] = False
    found = DepthCanny(euclidean=True, engine="kornia")(depth, valid)
    reference = DepthCanny(euclidean=True)(depth, valid)
    far = ~dilate(~valid, 2)
    assert torch.equal(found & far, reference & far)
    disagreement = (found ^ reference).sum() / reference.sum()
    assert disagreement < 0.5  # equally near pixels of both sides fill the hole
    assert not (DepthCanny(euclidean=True, engine="kornia")(depth, ~valid & valid)).any()


def test_holes_are_filled_from_a_nearest_pixel():
    generator = torch.Generator().manual_seed(0)
    values = torch.rand(2, 1, 21, 34, generator=generator)
    valid = torch.rand(values.shape, generator=generator) < 0.1
    filled = fill_from_nearest(values, valid)
    assert torch.equal(filled[valid], values[valid])
    for one, mask, result in zip(values[:, 0], valid[:, 0], filled[:, 0], strict=True):
        places = mask.nonzero().numpy()
        nearest = distance_transform_edt(~mask.numpy())
        rows, columns = np.nonzero(~mask.numpy())
        source = (one[mask][:, None] == result[~mask]).int().argmax(dim=0)
        found = np.hypot(*(places[source.numpy()] - np.stack([rows, columns], axis=1)).T)
        assert (found > nearest[rows, columns] + 1e-6).mean() < 0.01
    nothing = torch.zeros_like(valid)
    assert torch.equal(fill_from_nearest(values, nothing), values)
    for corner in ((0, 0), (20, 33)):
        lone = torch.zeros_like(valid)
        lone[..., corner[0], corner[1]] = True
        expected = values[..., corner[0] : corner[0] + 1, corner[1] : corner[1] + 1]
        assert torch.equal(fill_from_nearest(values, lone), expected.expand_as(values))


def test_kornia_s_edges_do_not_hang_on_the_batch():
    maps = load("odd")
    canny = DepthCanny(euclidean=True, engine="kornia")
    pair = [torch.cat([maps[key], maps[key].flip(-1)]) for key in ("in.gt", "in.mask")]
    assert torch.equal(canny(*pair)[:1], canny(maps["in.gt"], maps["in.mask"]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "skimage"}, "engine must be opencv or kornia, got 'skimage'"),
        ({"engine": "kornia"}, "engine kornia has Euclidean gradients of aperture 3 only"),
    ],
)
def test_bad_engines_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        DepthCanny(**settings)
