import cv2
import numpy as np
import pytest
import torch

from ppvd.semantics import ImageInput

PLAIN = {"mean": (0, 0, 0), "std": (1, 1, 1)}


def test_one_patch_falls_on_each_cell():
    assert ImageInput(patch=14)(torch.rand(2, 3, 48, 80)).shape == (2, 3, 42, 70)


def test_nothing_is_resized_where_patch_and_cell_agree():
    image = torch.rand(1, 3, 32, 16)
    assert torch.equal(ImageInput(patch=16, **PLAIN)(image), image)


def test_colour_is_normalised_after_a_resize_that_keeps_constants():
    image = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    fit = ImageInput(patch=14, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0), antialias=True)
    expected = torch.tensor([0.2, 1.2, 0.3])
    torch.testing.assert_close(fit(image)[0, :, 3, 5], expected)


@pytest.mark.parametrize(
    ("interpolation", "flag"), [("bilinear", cv2.INTER_LINEAR), ("bicubic", cv2.INTER_CUBIC)]
)
def test_resizes_as_opencv_does(interpolation, flag):
    image = torch.rand(1, 3, 48, 32)
    found = ImageInput(patch=14, interpolation=interpolation, **PLAIN)(image)
    expected = cv2.resize(image[0].permute(1, 2, 0).numpy(), (28, 42), interpolation=flag)
    np.testing.assert_allclose(found[0].permute(1, 2, 0).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(("size", "named"), [((48, 30), "width"), ((30, 48), "height")])
def test_a_size_that_the_cell_does_not_divide(size, named):
    with pytest.raises(ValueError, match=f"image {named} must be divisible by 16, got 30"):
        ImageInput(patch=14)(torch.rand(1, 3, *size))


def test_keeps_nothing_in_the_state_dict_and_comes_back_from_the_meta_device():
    with torch.device("meta"):
        fit = ImageInput(patch=16)
    assert not fit.state_dict()
    fit.to_empty(device="cpu").reset_parameters()
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(fit(image), ImageInput(patch=16)(image))
