import pytest
import torch

from ppvd.geometry import colourise
from ppvd.geometry.colour import INVALID_COLOUR, SKY_COLOUR


def ramp():
    return torch.linspace(1.0, 9.0, 40).reshape(1, 1, 4, 10)


def test_near_is_warm_and_far_is_cold():
    picture = colourise(ramp(), quantiles=(0.1, 0.9)).int()
    near, far = picture[0, :, 0, 4], picture[0, :, 3, 5]
    assert near[0] > near[2]  # more red than blue
    assert far[2] > far[0]


def test_disparity_may_be_painted_alike():
    torch.testing.assert_close(
        colourise(-ramp(), near_is_high=True).int(), colourise(ramp()).int(), atol=4, rtol=0
    )


def test_picture_is_rgb_bytes():
    picture = colourise(ramp())
    assert picture.dtype == torch.uint8
    assert picture.shape == (1, 3, 4, 10)


@pytest.mark.parametrize("palette", ["turbo", "inferno"])
def test_invalid_and_sky_have_colours_of_their_own(palette):
    values = ramp()
    values[0, 0, 0, 0] = torch.nan
    valid, sky = torch.ones_like(values).bool(), torch.zeros_like(values).bool()
    valid[0, 0, 0, 1], sky[0, 0, 0, 2] = False, True
    picture = colourise(values, valid=valid, sky=sky, palette=palette)
    assert picture[0, :, 0, 0].tolist() == list(INVALID_COLOUR)
    assert picture[0, :, 0, 1].tolist() == list(INVALID_COLOUR)
    assert picture[0, :, 0, 2].tolist() == list(SKY_COLOUR)
    every = colourise(torch.linspace(0.0, 1.0, 256).reshape(1, 1, 1, 256), palette=palette)
    for colour in (INVALID_COLOUR, SKY_COLOUR):
        distance = (every[0].flatten(1).T.int() - torch.tensor(colour)).abs().sum(dim=1)
        assert distance.min() > 60


def test_an_outlier_does_not_flatten_the_picture():
    smooth = torch.linspace(1.0, 9.0, 400).reshape(1, 1, 20, 20)
    values = smooth.clone()
    values[0, 0, 19, 19] = 1e6
    difference = colourise(values).int() - colourise(smooth).int()
    assert difference.abs().float().mean() < 1.0


def test_limits_paint_two_maps_alike():
    limits = torch.tensor(0.0), torch.tensor(10.0)
    whole, part = colourise(ramp(), limits=limits), colourise(ramp()[..., :2], limits=limits)
    assert torch.equal(whole[..., :2], part)


def test_constant_and_empty_maps_have_a_picture():
    assert colourise(torch.full((2, 1, 3, 3), 4.0)).unique(dim=0).shape[0] == 1
    empty = colourise(torch.full((1, 1, 3, 3), torch.nan))
    assert empty[0, :, 1, 1].tolist() == list(INVALID_COLOUR)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"values must have shape \(B, 1, H, W\)"):
        colourise(torch.ones(4, 4))
    with pytest.raises(ValueError, match="palette must be one of"):
        colourise(ramp(), palette="jet")
