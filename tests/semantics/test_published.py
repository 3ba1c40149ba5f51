"""What a published file makes of an encoder, and what is said of one that does not fit."""

import pytest
import torch
from safetensors.torch import save_file

from ppvd.semantics import (
    MAE,
    VGGT,
    DepthAnythingV2,
    DINOv2,
    Frozen,
    MoGe2,
    MoGe2Size,
    Pi3,
    ViewSize,
    ViTSize,
)

VIT = ViTSize(width=64, depth=4, num_heads=1, grid=3)
REGISTERED = ViTSize(width=64, depth=1, num_heads=1, grid=3, num_registers=4)
SIZES = {
    DINOv2: VIT,
    DepthAnythingV2: VIT,
    MAE: VIT,
    MoGe2: MoGe2Size(backbone=VIT, projected=8),
    Pi3: ViewSize(backbone=REGISTERED, num_pairs=2),
    VGGT: ViewSize(backbone=REGISTERED, num_pairs=2),
}
PREFIXES = {
    DINOv2: ("backbone.", ""),
    DepthAnythingV2: ("backbone.", "pretrained."),
    MAE: ("backbone.", ""),
    MoGe2: ("", "encoder."),
    Pi3: ("", ""),
    VGGT: ("", "aggregator."),
}
KINDS = pytest.mark.parametrize("kind", SIZES, ids=lambda kind: kind.__name__)


def drawn(kind):
    torch.manual_seed(0)
    encoder = kind(size=SIZES[kind])
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return encoder


def published(encoder):
    """Its weights as its authors name them."""
    ours, theirs = PREFIXES[type(encoder)]
    return {theirs + k.removeprefix(ours): v for k, v in encoder.state_dict().items()}


def image():
    return torch.rand(1, 2, 3, 32, 48, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def assert_same(found, expected):
    assert torch.equal(Frozen(found)(image()), Frozen(expected)(image()))


@KINDS
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_file_tells_the_size_and_fills_all(kind, name, tmp_path):
    source = drawn(kind)
    (save_file if name.endswith("safetensors") else torch.save)(published(source), tmp_path / name)
    assert_same(kind(tmp_path / name), source)


@KINDS
def test_its_own_state_dict_is_read_back(kind, tmp_path):
    source = drawn(kind)
    torch.save(source.state_dict(), tmp_path / "x.pth")
    assert_same(kind(tmp_path / "x.pth"), source)


@KINDS
def test_comes_back_from_the_meta_device_with_its_file(kind, tmp_path):
    source = drawn(kind)
    torch.save(published(source), tmp_path / "x.pth")
    with torch.device("meta"):
        frozen = Frozen(kind(tmp_path / "x.pth", size=SIZES[kind]))
    frozen.to_empty(device="cpu")
    assert_same(frozen.encoder, source)


@KINDS
def test_comes_back_from_the_meta_device_with_weights_drawn(kind):
    with torch.device("meta"):
        frozen = Frozen(kind(size=SIZES[kind]))
    frozen.to_empty(device="cpu")
    assert Frozen(frozen.encoder)(image()).isfinite().all()
    assert all(parameter.abs().max() < 10 for parameter in frozen.encoder.parameters())


@KINDS
def test_is_the_papers_in_full_on_the_meta_device_whatever_the_file(kind):
    with torch.device("meta"):
        encoder = kind("nowhere.pth")
    assert encoder.width == {Pi3: 2048, VGGT: 2048}.get(kind, 1024)
    assert all(parameter.is_meta for parameter in encoder.parameters())


def test_a_level_named_model_is_opened(tmp_path):
    source = drawn(MoGe2)
    torch.save({"model_config": {}, "model": published(source)}, tmp_path / "x.pt")
    assert_same(MoGe2(tmp_path / "x.pt"), source)


def test_half_precision_is_widened(tmp_path):
    half = {name: value.bfloat16() for name, value in published(drawn(MAE)).items()}
    torch.save(half, tmp_path / "x.pth")
    encoder = MAE(tmp_path / "x.pth")
    assert encoder.backbone.cls_token.dtype == torch.float32
    wide = {name: value.float() for name, value in half.items()}
    assert_same(encoder, MAE.from_published(wide))


def test_a_size_given_must_be_the_file_s(tmp_path):
    torch.save(published(drawn(MAE)), tmp_path / "x.pth")
    with pytest.raises(ValueError, match=r"x\.pth must have exactly the names of this MAE"):
        MAE(tmp_path / "x.pth", size=ViTSize(width=64, depth=3, num_heads=1, grid=3))
    with pytest.raises(ValueError, match=r"x\.pth must have the shapes of this MAE"):
        MAE(tmp_path / "x.pth", size=ViTSize(width=32, depth=4, num_heads=1, grid=3))


def test_a_table_of_positions_that_is_no_square():
    state = published(drawn(MAE)) | {"pos_embed": torch.zeros(1, 12, 64)}
    with pytest.raises(ValueError, match=r"the shapes of this MAE, got .*pos_embed"):
        MAE.from_published(state)


@pytest.mark.parametrize(("kind", "gone"), [(DINOv2, "cls_token"), (MAE, "pos_embed")])
def test_a_tensor_that_tells_the_size_is_missing(kind, gone):
    state = published(drawn(kind))
    del state[gone]
    with pytest.raises(ValueError, match=rf"must hold backbone\.{gone}, got \['backbone\."):
        kind.from_published(state)


def test_a_tensor_that_tells_the_size_has_no_such_axis():
    state = published(drawn(MAE)) | {"cls_token": torch.zeros(3)}
    with pytest.raises(ValueError, match=r"cls_token must have more than 2 axes, got .*\(3,\)"):
        MAE.from_published(state)


def test_a_file_without_blocks():
    state = {k: v for k, v in published(drawn(MAE)).items() if not k.startswith("blocks.")}
    with pytest.raises(ValueError, match=r"must hold backbone\.blocks\.0, got"):
        MAE.from_published(state)


def test_an_empty_file():
    with pytest.raises(ValueError, match=r"must hold a Pi3 under \[''\], got \[\]"):
        Pi3.from_published({})


def test_too_shallow_for_four_layers_or_any_pair():
    shallow = ViTSize(width=64, depth=3, num_heads=1, grid=3)
    with pytest.raises(ValueError, match="depth of the backbone must be at least 4, got 3"):
        MoGe2(size=MoGe2Size(backbone=shallow, projected=8))
    with pytest.raises(ValueError, match="num_pairs must be at least 1, got 0"):
        Pi3(size=ViewSize(backbone=VIT, num_pairs=0))


def test_registers_change_how_positions_are_interpolated():
    plain, registered = DINOv2(size=VIT).backbone, DINOv2(size=REGISTERED).backbone
    assert (plain.offset, plain.antialias) == (0.1, False)
    assert (registered.offset, registered.antialias) == (0.0, True)


def test_moge2_taps_the_last_block_of_each_quarter():
    with torch.device("meta"):
        assert MoGe2().taps == [5, 11, 17, 23]  # released


@torch.no_grad()
def test_moge2_adds_its_projected_layers():
    encoder = drawn(MoGe2)
    frame = image()[:, 0]
    layers = encoder.backbone.layers(encoder.input(frame), range(4))
    matrices = [layer.weight[..., 0, 0].double() for layer in encoder.output_projections]
    expected = sum(
        torch.einsum("oc,bchw->bohw", matrix, layer.double()) + part.bias.double()[:, None, None]
        for matrix, layer, part in zip(matrices, layers, encoder.output_projections, strict=True)
    )
    torch.testing.assert_close(encoder(frame).double(), expected, atol=1e-5, rtol=1e-5)
