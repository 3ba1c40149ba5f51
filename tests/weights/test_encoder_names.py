"""Which names a published encoder must have, may have, and may not have."""

import pytest
import torch
from torch import nn

from ppvd.weights import encoder

HEADS = 4
HEADS_IN_FILES = {
    "dav2_a": ("depth_anything_v2", ["depth_head.scratch.stem.weight"]),
    "dinov2_reg_a": ("dinov2", ["mask_token"]),
    "mae_a": ("mae", ["decoder_embed.weight", "decoder_blocks.0.norm1.weight", "mask_token"]),
    "moge2_a": (
        "moge2",
        ["neck.a", "points_head.a", "mask_head.a", "normal_head.a", "scale_head.0"],
    ),
    "pi3_a": ("pi3", ["point_decoder.a", "conf_head.a", "camera_decoder.b", "camera_head.c"]),
    "vggt_aggregator_a": (
        "vggt",
        ["camera_head.a", "point_head.a", "depth_head.a", "track_head.a"],
    ),
}


@pytest.mark.parametrize("file", sorted(HEADS_IN_FILES))
def test_heads_are_passed_over_and_anything_else_is_named(file, golden, weights):
    name, unused = HEADS_IN_FILES[file]
    state = weights(golden(file)) | {key: torch.zeros(1) for key in unused}
    encoder(name, state, num_heads=HEADS)
    with pytest.raises(ValueError, match=r"stranger\.weight"):
        encoder(name, {**state, "stranger.weight": torch.zeros(1)}, num_heads=HEADS)


@pytest.mark.parametrize("file", sorted(HEADS_IN_FILES))
def test_a_missing_tensor_is_named(file, golden, weights):
    state = weights(golden(file))
    gone = next(key for key in state if key.endswith("blocks.1.norm1.weight"))
    del state[gone]
    with pytest.raises(ValueError, match=r"missing \['.*blocks\.1\.norm1\.weight'\]"):
        encoder(HEADS_IN_FILES[file][0], state, num_heads=HEADS)


def test_prefix_of_the_published_vggt(golden, weights):
    state = weights(golden("vggt_aggregator_a"))
    prefixed = {f"aggregator.{key}": value for key, value in state.items()}
    net = encoder("vggt", prefixed, num_heads=HEADS)
    assert torch.equal(net.camera_token, state["camera_token"])


def test_a_tensor_both_with_and_without_the_prefix_is_refused(golden, weights):
    state = weights(golden("moge2_a"))
    state["backbone.cls_token"] = state["encoder.backbone.cls_token"]
    with pytest.raises(ValueError, match=r"MoGe2 alone, got \['backbone\.cls_token'\] too"):
        encoder("moge2", state, num_heads=HEADS)


def test_the_file_of_another_encoder_is_refused(golden, weights):
    with pytest.raises(ValueError, match=r"DepthAnythingV2 under \['backbone\.', 'pretrained\.'\]"):
        encoder("depth_anything_v2", weights(golden("mae_a")), num_heads=HEADS)
    with pytest.raises(ValueError, match=r"must hold backbone\.cls_token"):
        encoder("dinov2", weights(golden("dav2_a")), num_heads=HEADS)
    with pytest.raises(ValueError, match=r"patch_embed\.proj\.weight"):
        encoder("mae", weights(golden("dinov2_noreg_a")), num_heads=HEADS)


def test_shares_no_memory_with_the_checkpoint(golden, weights):
    state = weights(golden("mae_a"))
    net = encoder("mae", state, num_heads=HEADS)
    nn.init.zeros_(net.backbone.cls_token)
    assert state["cls_token"].any()


def test_heads_of_64_channels_unless_given(golden, weights):
    state = weights(golden("mae_a"))  # 64 channels wide
    assert encoder("mae", state).backbone.blocks[0].attn.num_heads == 1
    thin = {key: value[..., :48] for key, value in state.items()}
    with pytest.raises(ValueError, match="num_heads must be given where 64 does not divide"):
        encoder("mae", thin)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"one of \['depth_anything_v2', .*got 'moge'"):
        encoder("moge", {})
