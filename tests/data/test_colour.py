import numpy as np
import pytest
import torch
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_gamma,
    adjust_saturation_with_gray_subtraction,
)

from ppvd.data.colour import TO_YIQ, Colour, recolour


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.4])
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("gamma", adjust_gamma),
        ("brightness", adjust_brightness_accumulative),
        ("contrast", adjust_contrast_with_mean_subtraction),
        ("saturation", adjust_saturation_with_gray_subtraction),
    ],
)
def test_each_change_is_kornias(image, name, reference, factor):
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].double() / 255
    expected = reference(tensor, torch.tensor([factor], dtype=torch.float64))
    expected = (expected[0].permute(1, 2, 0).numpy() * 255).clip(0, 255)
    np.testing.assert_allclose(recolour(image, Colour(**{name: factor})), expected, atol=0.51)


def test_no_change_changes_nothing(image):
    np.testing.assert_array_equal(recolour(image, Colour()), image)


def test_a_turn_of_hue_keeps_luma_and_grey_and_comes_round():
    image = np.random.default_rng(0).integers(100, 150, (20, 30, 3), dtype=np.uint8)
    turned = recolour(image, Colour(hue=0.25))
    luma = TO_YIQ[0]
    np.testing.assert_allclose(turned @ luma, image @ luma, atol=0.6)
    assert np.abs(turned.astype(int) - image).mean() > 5
    np.testing.assert_allclose(recolour(image, Colour(hue=1.0)), image, atol=1)
    grey = np.full((4, 4, 3), 77, np.uint8)
    np.testing.assert_array_equal(recolour(grey, Colour(hue=0.3, saturation=1.7)), grey)


def test_half_a_turn_gives_the_opposite_chroma():
    image = np.full((2, 2, 3), (150, 120, 100), np.uint8)
    turned = recolour(image, Colour(hue=0.5)).astype(float)
    np.testing.assert_allclose((turned @ TO_YIQ.T)[..., 1:], -(image @ TO_YIQ.T)[..., 1:], atol=1)


def test_the_changes_compose_in_the_documented_order(image):
    colour = Colour(gamma=1.2, saturation=0.8, hue=0.1, brightness=0.9, contrast=0.7)
    step = image
    for name in ("gamma", "saturation", "hue", "brightness", "contrast"):
        step = recolour(step, Colour(**{name: getattr(colour, name)}))
    at_once = recolour(image, colour)
    unclipped = (step > 5) & (step < 250)
    assert np.abs(at_once.astype(int) - step)[unclipped].mean() < 1
