import pytest
import torch
import torch.nn.functional as F

from ppvd.semantics import NoSemantics, ViT, ViTEncoder


def vit(patch=4):
    torch.manual_seed(0)
    return ViT(width=16, depth=1, num_heads=2, patch=patch, grid=4)


def test_one_feature_for_each_patch_without_resizing():
    encoder = ViTEncoder(vit())
    assert encoder(torch.rand(2, 3, 8, 12)).shape == (2, encoder.width, 2, 3)


@torch.no_grad()
def test_colour_is_normalised_by_the_given_statistics():
    backbone = vit()
    encoder = ViTEncoder(backbone, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
    image = torch.rand(1, 3, 8, 8)
    by_hand = torch.stack(
        [(image[:, 0] - 0.1) / 0.5, (image[:, 1] - 0.2) / 0.25, (image[:, 2] - 0.3) / 2], 1
    )
    torch.testing.assert_close(encoder(image), backbone(by_hand))


@torch.no_grad()
def test_cell_16_of_patch_14_resizes_the_image_as_released():
    backbone = vit(patch=14)
    encoder = ViTEncoder(backbone, cell=16, mean=(0, 0, 0), std=(1, 1, 1))
    image = torch.rand(1, 3, 48, 32)
    resized = F.interpolate(image, (42, 28), mode="bicubic")
    torch.testing.assert_close(encoder(image), backbone(resized))


def test_size_that_the_cell_does_not_divide():
    with pytest.raises(ValueError, match="image width must be divisible by 16, got 30"):
        ViTEncoder(vit(patch=14), cell=16)(torch.rand(1, 3, 32, 30))


def test_state_dict_holds_the_backbone_alone():
    assert all(name.startswith("backbone.") for name in ViTEncoder(vit()).state_dict())


def test_builds_on_the_meta_device_without_its_file():
    with torch.device("meta"):
        encoder = ViTEncoder(vit(), weights="nowhere.ckpt")
        assert encoder(torch.rand(1, 3, 8, 8)).shape == (1, 16, 2, 2)


def test_no_semantics_has_no_channels():
    features = NoSemantics()(torch.rand(2, 3, 8, 8))
    assert features.shape[:2] == (2, 0)
    assert NoSemantics().width == 0
