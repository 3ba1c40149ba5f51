"""The published encoders at full size: 10 to 25 s and 1.5 to 3.3 GB of memory each."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ppvd.semantics import DepthAnythingV2, MoGe2, Pi3

GOLDEN = Path(__file__).parents[1] / "golden" / "released"
BEFORE_PI3 = 150  # Names of the camera's and the confidence's parts sort before `decoder`.
ALL_PI3 = 1210


def filled(kind, places, hash_uniform):
    """Make an encoder in full with weights that depend on the place of a name in its file."""
    with torch.device("meta"):
        net = kind()
    net.to_empty(device="cpu").input.reset_parameters()
    for name, weight in net.state_dict().items():
        unit = hash_uniform(weight.shape, 10000 + places[name], -1, 1)
        weight.copy_(scaled(name, unit))
    return net


def scaled(name, unit):
    if name.endswith("gamma"):
        return unit.mul_(0.3).add_(0.5)
    if name.endswith("bias"):
        return unit.mul_(0.15)
    if not name.endswith("weight"):
        return unit.mul_(0.8)
    return unit.mul_(0.3).add_(1) if unit.ndim == 1 else unit.mul_((3 / unit[0].numel()) ** 0.5)


def places(kind, *others):
    """Number the sorted names of an encoder and of what else its file holds under its prefix."""
    with torch.device("meta"):
        names = sorted([*kind().state_dict(), *others])
    return {name: place for place, name in enumerate(names)}


def assert_equal_to_the_released(found, file, key="out.semantics"):
    expected = load_file(GOLDEN / f"{file}.safetensors")[key]
    assert (found - expected).abs().max() < 2e-5 * expected.std()


def rows(features):
    return features.flatten(-2).transpose(-2, -1)


@pytest.mark.slow
@torch.no_grad()
def test_depth_anything_v2_in_full_equals_the_released_one(hash_uniform):
    places_ = places(DepthAnythingV2, "backbone.mask_token")
    net = filled(DepthAnythingV2, places_, hash_uniform)
    found = net(hash_uniform((1, 3, 80, 112), 3, 0, 1))
    assert_equal_to_the_released(rows(found), "full_dav2")


@pytest.mark.slow
@torch.no_grad()
def test_moge2_in_full_equals_the_released_one(hash_uniform):
    places_ = places(MoGe2, "backbone.mask_token", "image_mean", "image_std")
    net = filled(MoGe2, places_, hash_uniform)
    found = net(hash_uniform((1, 3, 80, 112), 4, 0, 1))
    assert_equal_to_the_released(rows(found), "full_moge2")


@pytest.mark.slow
@torch.no_grad()
def test_pi3_in_full_equals_the_released_one(hash_uniform):
    places_ = {name: place + BEFORE_PI3 for name, place in places(Pi3).items()}
    net = filled(Pi3, places_ | {"register_token": ALL_PI3 - 1}, hash_uniform)
    found = net(hash_uniform((3, 3, 64, 80), 5, 0, 1)[None])[0]
    assert_equal_to_the_released(
        rows(found)[..., ::2], "full_pi3", "out.semantics_every_2nd_channel"
    )
