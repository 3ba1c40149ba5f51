"""The published encoders against numbers of the released code, with weights drawn in small."""

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from ppvd.semantics import Frozen, ImageInput
from ppvd.weights import encoder
from ppvd.weights.encoders import ENCODERS

TOLERANCE = 2e-5
HEADS = 4
FULL_PARAMETERS = {  # Of the file's part that is needed; a mask token is never needed.
    "depth_anything_v2": 304_368_640 - 1024,
    "dinov2": 304_368_640 - 1024,
    "mae": 303_301_632,
    "moge2": 308_567_040 - 1024,
    "pi3": 757_923_840,
    "vggt": 909_112_320 - 1024,
}
IMAGES = [
    ("depth_anything_v2", "dav2_a", "48x160"),
    ("depth_anything_v2", "dav2_a", "64x96"),
    ("depth_anything_v2", "dav2_a", "80x80"),
    ("moge2", "moge2_a", "64x96"),
    ("moge2", "moge2_a", "80x80"),
]


def error(found, expected):
    return ((found - expected).abs().max() / expected.std()).item()


def rows(features):
    """Maps ``(..., D, h, w)`` as the released row-major tokens ``(..., h w, D)``."""
    return features.flatten(-2).transpose(-2, -1)


@pytest.fixture
def published(golden, weights):
    """A reference file and the encoder of its weights."""

    def load(name, file):
        tensors = golden(file)
        return tensors, encoder(name, weights(tensors), num_heads=HEADS)

    return load


def dense(net):
    """Let the encoder take images whose sides its patch divides, without resizing."""
    net.input = ImageInput(patch=14, cell=14)
    return net


@pytest.mark.parametrize(("name", "file", "size"), IMAGES)
@torch.no_grad()
def test_an_encoder_of_images_equals_the_released_one(name, file, size, published):
    tensors, net = published(name, file)
    features = net(tensors[f"in.image_{size}"])
    assert error(rows(features), tensors[f"out.semantics_{size}"]) < TOLERANCE


@torch.no_grad()
def test_layers_of_depth_anything_v2_equal_the_released_ones(published):
    tensors, net = published("depth_anything_v2", "dav2_a")
    layers = net.backbone.layers(net.input(tensors["in.image_64x96"]), range(4))
    assert error(rows(torch.stack(layers)), tensors["out.intermediate_normed"]) < TOLERANCE


@pytest.mark.parametrize("file", ["dinov2_noreg_a", "dinov2_reg_a"])
@pytest.mark.parametrize("size", ["42x70", "70x70", "98x28"])
@torch.no_grad()
def test_dinov2_with_and_without_registers_equals_the_released_one(file, size, published):
    tensors, net = published("dinov2", file)
    tokens = net.backbone(tensors[f"in.x_{size}"])
    assert error(rows(tokens), tensors[f"out.patch_{size}"]) < TOLERANCE


@torch.no_grad()
def test_mae_equals_the_released_one(published):
    tensors, net = published("mae", "mae_a")
    tokens = net.backbone.tokens(tensors["in.x"])
    assert error(tokens, tensors["out.tokens_after_norm"]) < TOLERANCE


@torch.no_grad()
def test_positions_of_mae_are_interpolated_to_the_size_as_opencv_does(published):
    vit = published("mae", "mae_a")[1].backbone
    found = vit.positions(3, 7)[0, 1:].view(3, 7, -1)
    for channel in (0, 5):
        table = vit.pos_embed[0, 1:, channel].view(4, 4).numpy()
        expected = cv2.resize(table, (7, 3), interpolation=cv2.INTER_CUBIC)
        np.testing.assert_allclose(found[..., channel].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("size", ["64x96", "80x80"])
@torch.no_grad()
def test_pi3_equals_the_released_one(size, published):
    tensors, net = published("pi3", "pi3_a")
    features = net(tensors[f"in.image_{size}"][None])[0]
    assert error(rows(features), tensors[f"out.semantics_{size}"]) < TOLERANCE


@torch.no_grad()
def test_vggt_equals_the_released_one(published):
    tensors, net = published("vggt", "vggt_aggregator_a")
    features = dense(net)(tensors["in.images"])
    assert error(rows(features), tensors["out.patch_tokens"]) < TOLERANCE


@torch.no_grad()
def test_clips_of_a_batch_do_not_mix(published):
    tensors, net = published("pi3", "pi3_a")
    clip = tensors["in.image_64x96"][None]
    both = net(torch.cat([clip, clip.flip(3)]))
    torch.testing.assert_close(both[:1], net(clip), atol=1e-4, rtol=1e-4)


def swap_halves_of_pairs(net):
    net.decoder = nn.ModuleList(net.decoder[index ^ 1] for index in range(len(net.decoder)))


def swap_two_pairs(net):
    blocks = list(net.decoder)
    net.decoder = nn.ModuleList(blocks[2:4] + blocks[:2] + blocks[4:])


def drop_register_tokens(net):
    nn.init.zeros_(net.register_token)


def drop_dino_registers(net):
    nn.init.zeros_(net.encoder.register_tokens)


def give_registers_a_place(net):
    token, place = net.encoder.register_tokens, net.encoder.pos_embed[:, :1]
    net.encoder.register_tokens = nn.Parameter(token + place)


def interpolate_by_a_factor(net):
    net.encoder.offset = 0.1


def forget_places(net):
    for block in net.decoder:
        block.attn.register_forward_pre_hook(lambda _, given: (given[0], None))


@pytest.mark.parametrize(
    "mistake",
    [
        swap_halves_of_pairs,
        swap_two_pairs,
        drop_register_tokens,
        drop_dino_registers,
        give_registers_a_place,
        interpolate_by_a_factor,
        forget_places,
    ],
)
@torch.no_grad()
def test_a_mistake_in_pi3_shows(mistake, published):
    tensors, net = published("pi3", "pi3_a")
    mistake(net)
    features = net(tensors["in.image_64x96"][None])[0]
    assert error(rows(features), tensors["out.semantics_64x96"]) > 100 * TOLERANCE


def swap_frame_and_global(net):
    net.frame_blocks, net.global_blocks = net.global_blocks, net.frame_blocks


def treat_all_frames_alike(net):
    for token in (net.camera_token, net.register_token):
        token[:, 1] = token[:, 0]


def swap_first_and_other_frames(net):
    for token in (net.camera_token, net.register_token):
        token.copy_(token.flip(1))


@pytest.mark.parametrize(
    "mistake", [swap_frame_and_global, treat_all_frames_alike, swap_first_and_other_frames]
)
@torch.no_grad()
def test_a_mistake_in_vggt_shows(mistake, published):
    tensors, net = published("vggt", "vggt_aggregator_a")
    mistake(net)
    features = dense(net)(tensors["in.images"])
    assert error(rows(features), tensors["out.patch_tokens"]) > 100 * TOLERANCE


def use_the_last_layer_alone(net):
    net.taps = [3, 3, 3, 3]
    net.backbone.layers = lambda image, _: [net.backbone(image)] * 4


def do_not_smooth(net):
    net.input.antialias = False


def reverse_the_layers(net):
    net.output_projections = nn.ModuleList(reversed(net.output_projections))


@pytest.mark.parametrize("mistake", [use_the_last_layer_alone, do_not_smooth, reverse_the_layers])
@torch.no_grad()
def test_a_mistake_in_moge2_shows(mistake, published):
    tensors, net = published("moge2", "moge2_a")
    mistake(net)
    features = net(tensors["in.image_64x96"])
    assert error(rows(features), tensors["out.semantics_64x96"]) > 100 * TOLERANCE


def norms(net, ending):
    return {
        module.eps
        for name, module in net.named_modules()
        if isinstance(module, nn.LayerNorm) and name.endswith(ending)
    }


def test_the_epsilons_are_the_released_ones():
    with torch.device("meta"):
        nets = {name: kind() for name, kind in ENCODERS.items()}
    for name in ("depth_anything_v2", "dinov2", "mae", "moge2"):
        assert norms(nets[name], "") == {1e-6}
    assert norms(nets["pi3"].encoder, "") == norms(nets["vggt"].patch_embed, "") == {1e-6}
    for mixer in (nets["pi3"].decoder, nets["vggt"].frame_blocks, nets["vggt"].global_blocks):
        assert norms(mixer, "q_norm") == norms(mixer, "k_norm") == {1e-5}
    for place in ("norm1", "norm2"):
        assert norms(nets["pi3"].decoder, place) == {1e-6}
        assert norms(nets["vggt"].frame_blocks, place) == {1e-5}
        assert norms(nets["vggt"].global_blocks, place) == {1e-5}


@pytest.mark.parametrize("name", sorted(FULL_PARAMETERS))
def test_the_full_size_has_the_published_number_of_weights(name):
    with torch.device("meta"):
        net = ENCODERS[name]()
    assert sum(parameter.numel() for parameter in net.parameters()) == FULL_PARAMETERS[name]


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_any_size_that_16_divides_at_full_size(name):
    with torch.device("meta"):
        net = Frozen(ENCODERS[name]())
        features = net(torch.empty(1, 2, 3, 768, 1024))
    assert features.shape == (1, 2, net.width, 48, 64)
    assert net.width == (2048 if name in ("pi3", "vggt") else 1024)
