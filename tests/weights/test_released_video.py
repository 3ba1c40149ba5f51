"""The released video network: one forward pass of five frames, about 8 s on one core."""

import pytest
import torch

from ppvd.nn import Propagation
from ppvd.weights import video_dit

TOLERANCE = 2e-5


def assert_close(found, expected):
    assert (found - expected).abs().max() < TOLERANCE * expected.std()


@pytest.fixture
def golden_video(golden):
    return golden("dit_video_a")


def _state(golden_video):
    return {k.removeprefix("sd."): v for k, v in golden_video.items() if k.startswith("sd.")}


def test_matches_the_released_velocity_and_the_tokens_inside(golden_video, hash_uniform):
    net = video_dit(_state(golden_video))
    x = hash_uniform((1, 5, 4, 512, 512), 1041, -2, 2)
    semantics = hash_uniform((1, 5, 32 * 32, 2048), 1042, -3, 3)
    condition = net.condition(x[:, :, 1:] + 0.5, semantics.transpose(2, 3).unflatten(3, (32, 32)))
    time = golden_video["in.timestep"][None] / 1000
    with torch.no_grad():
        velocity, tokens = net.denoise_with_tokens(
            x[:, :, :1], condition, net.modulation(time), time, tap=23
        )
    # The reference holds every seventh pixel, two crops, and every 127th token of a frame.
    assert_close(velocity[0, :, :, ::7, ::7], golden_video["out.velocity_sub7"])
    assert_close(velocity[0, 0, 0, 200:264, 300:364], golden_video["out.velocity_f0_crop"])
    assert_close(velocity[0, -1, 0, 440:504, 8:72], golden_video["out.velocity_last_crop"])
    tapped = tokens[0].flatten(2).transpose(1, 2)[:, ::127]
    assert_close(tapped, golden_video["tap.blocks.23"][:, : tapped.shape[1]])


def test_is_the_released_configuration(golden_video):
    net = video_dit(_state(golden_video))
    assert (net.semantic_width, net.width, len(net.blocks), net.split) == (2048, 24, 24, 12)
    assert net.propagation == Propagation((0, 1, 2), pool=4, last_blocks=6)
    assert net.positions == "sincos"
    shown = [index for index, block in enumerate(net.blocks) if block.propagation]
    assert shown == [18, 19, 20, 21, 22, 23]
    assert [index for index, block in enumerate(net.blocks) if block.temporal] == [21, 22, 23]


def test_every_number_of_the_checkpoint_is_a_parameter_but_the_table(golden_video):
    state = _state(golden_video)
    ours = sum(parameter.numel() for parameter in video_dit(state).parameters())
    assert ours + state["pos_embed"].numel() == sum(tensor.numel() for tensor in state.values())


def test_takes_other_sizes_and_numbers_of_frames(golden_video):
    net = video_dit(_state(golden_video))
    with torch.no_grad():
        velocity = net(
            torch.randn(1, 1, 1, 48, 80),
            torch.rand(1, 1, 3, 48, 80),
            torch.tensor([0.5]),
            torch.randn(1, 1, 2048, 3, 5),
        )
    assert velocity.isfinite().all()


def test_a_table_of_half_precision_is_taken(golden_video):
    state = {name: tensor.bfloat16() for name, tensor in _state(golden_video).items()}
    assert video_dit(state).head.weight.dtype is torch.float32


def test_a_wrong_checkpoint_is_named(golden_video):
    state = _state(golden_video)
    table = state["pos_embed"]
    turned = table.unflatten(1, (32, 32)).transpose(1, 2).flatten(1, 2)
    with pytest.raises(ValueError, match=r"pos_embed must be the sine-cosine table.*off by up to"):
        video_dit({**state, "pos_embed": turned})
    with pytest.raises(
        ValueError, match=r"pos_embed must be of a square grid.*got \(1, 1000, 24\)"
    ):
        video_dit({**state, "pos_embed": table[:, :1000]})
    with pytest.raises(ValueError, match=r"pos_embed must have 3 axes.*got the shape \(1024, 24\)"):
        video_dit({**state, "pos_embed": table[0]})
    with pytest.raises(ValueError, match=r"x_embedder\.proj\.bias must have 1 axes.*got the shape"):
        video_dit({**state, "x_embedder.proj.bias": torch.tensor(1.0)})
    image = {name: v for name, v in state.items() if "temporal" not in name and "pos" not in name}
    with pytest.raises(ValueError, match=r"missing: \['pos_embed', 'temporal_blocks\.0\.adaLN"):
        video_dit(image)
    name = "temporal_blocks.0.mlp.fc1.bias"
    with pytest.raises(ValueError, match=r"missing: \['temporal_blocks\.0\.mlp\.fc1\.bias'\]; unk"):
        video_dit({k: v for k, v in state.items() if k != name})
    with pytest.raises(ValueError, match=r"blocks\.21\.temporal\.mlp\.hidden\.bias must have the"):
        video_dit({**state, name: torch.zeros(5)})
