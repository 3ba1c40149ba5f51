"""The network on clips: where frames do not meet it is that of images, and where they do."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ppvd.nn import CascadeDiT, Propagation, rotary
from ppvd.nn.attention import GATE_PACE

GOLDEN = Path(__file__).parents[1] / "golden" / "released"
RELEASED = {
    "positions": "sincos",
    "propagation": Propagation(last_blocks=2),
    "temporal_blocks": 1,
    "depth": 4,
}
VIDEO = {
    "released": RELEASED,
    "paper": {"propagation": Propagation(), "depth": 4},
    "every block": {"propagation": Propagation((1,), pool=2, last_blocks=4), "depth": 4},
    "gates": {"propagation": Propagation(gated=True), "depth": 4},
    "temporal blocks alone": {"temporal_blocks": 3, "depth": 4},
    "no cascade": {"propagation": Propagation(), "coarse_factor": 1, "semantic_width": 0},
}


def _each_clip(inputs):
    clips = len(inputs["time"])
    return [{name: value[i : i + 1] for name, value in inputs.items()} for i in range(clips)]


def test_full_size_has_the_released_number_of_parameters():
    with torch.device("meta"):
        net = CascadeDiT(2048, **{**RELEASED, "depth": 24, "temporal_blocks": 3})
    trained = sum(parameter.numel() for parameter in net.parameters())
    assert trained == 560_706_368
    assert trained + 32 * 32 * 1024 == 561_754_944  # with the table, which ours computes


@pytest.mark.parametrize("name", VIDEO)
@pytest.mark.parametrize("frames", [2, 5])
def test_clips_keep_their_shape_and_do_not_see_each_other(name, frames, make_net, make_inputs):
    net = make_net(**VIDEO[name])
    inputs = make_inputs(net, frames=frames, rows=3, cols=5)
    velocity = net(**inputs)
    assert velocity.shape == inputs["noisy"].shape
    alone = torch.cat([net(**clip) for clip in _each_clip(inputs)])
    torch.testing.assert_close(alone, velocity, rtol=1e-4, atol=1e-4)


def test_frames_that_do_not_meet_are_images(make_net, make_inputs):
    net = make_net()
    inputs = make_inputs(net, frames=3)
    images = {name: value.flatten(0, 1) for name, value in inputs.items() if name != "time"}
    images["time"] = inputs["time"].repeat_interleave(3)
    expected = net(**images).unflatten(0, (2, 3))
    torch.testing.assert_close(net(**inputs), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", VIDEO)
def test_images_pass_a_video_network_as_they_pass_an_image_network(name, make_net, make_inputs):
    video = make_net(**VIDEO[name])
    image = make_net(**{**VIDEO[name], "propagation": None, "temporal_blocks": 0})
    report = image.load_state_dict(video.state_dict(), strict=False)
    assert report.missing_keys == []
    new = (".temporal.", ".shared_gate")
    assert all(any(part in name for part in new) for name in report.unexpected_keys)
    inputs = make_inputs(video)
    assert torch.equal(video(**inputs), image(**inputs))


@pytest.mark.parametrize("name", VIDEO)
def test_what_a_frame_sees(name, make_net, make_inputs):
    """A change of frame 3 reaches all frames through temporal blocks, else its own alone;
    one of a reference frame reaches all."""
    net = make_net(**VIDEO[name])
    inputs = make_inputs(net, batch=1, frames=5, rows=3, cols=5)
    velocity = net(**inputs)

    def reached(frame):
        changed = inputs["noisy"].clone()
        changed[:, frame] += 1
        differs = (net(**{**inputs, "noisy": changed}) - velocity).abs().amax((0, 2, 3, 4)) > 1e-3
        return differs.nonzero().flatten().tolist()

    everywhere = [0, 1, 2, 3, 4]
    assert reached(3) == (everywhere if net.blocks[-1].temporal else [3])
    assert reached(1) == everywhere


def test_a_temporal_block_is_attention_over_the_frames_at_each_place(make_net, make_inputs):
    net = make_net(temporal_blocks=1)
    inputs = make_inputs(net, frames=3)
    condition = net.condition(inputs["image"], inputs["features"])
    modulation = net.modulation(inputs["time"])
    arguments = inputs["noisy"], condition, modulation, inputs["time"]
    _, before = net.denoise_with_tokens(*arguments, tap=0)
    grid = condition.fine.grid
    tokens = net.fusion(before.flatten(3).transpose(2, 3), condition.prompt)
    own, temporal = modulation.blocks()[-1]
    for clip in range(2):
        mixing, mapping = ([part[clip : clip + 1] for part in branch] for branch in temporal)
        for place in range(grid.num_tokens):
            block = net.blocks[-1].temporal
            line = tokens[clip : clip + 1, :, place]  # (1, T, D): frames are the tokens
            tokens[clip, :, place] = block(line, type(temporal)(mixing, mapping))[0]
    spatial = [
        net.blocks[-1](frame, own, condition.fine) for frame in tokens.unbind(1)
    ]  # images pass the temporal block by
    _, after = net.denoise_with_tokens(*arguments, tap=1)
    expected = grid.to_map(torch.stack(spatial, 1))
    torch.testing.assert_close(after, expected, rtol=1e-4, atol=1e-4)


def test_references_lie_at_the_centres_of_their_windows_before_and_after_the_fusion(
    make_net, make_inputs
):
    net = make_net(propagation=Propagation(pool=3))
    inputs = make_inputs(net, frames=3)
    condition = net.condition(inputs["image"], inputs["features"])
    for stage in (condition.coarse, condition.fine):
        expected = rotary(stage.grid, 8, torch.device("cpu"), pool=3)
        assert torch.equal(stage.reference_rotary.sin, expected.sin)


def test_frames_that_are_no_references_may_come_in_any_order(make_net, make_inputs):
    net = make_net(**RELEASED)
    inputs, order = make_inputs(net, frames=5), [0, 1, 2, 4, 3]
    shuffled = {k: v if k == "time" else v[:, order] for k, v in inputs.items()}
    torch.testing.assert_close(net(**shuffled), net(**inputs)[:, order], rtol=1e-4, atol=1e-4)


def test_new_temporal_blocks_first_change_nothing(make_net, make_inputs):
    trained = make_net(depth=4)
    grown = CascadeDiT(
        5, width=16, depth=4, num_heads=2, patch=2, temporal_blocks=2
    )  # as the task builds it, before the image network's weights arrive
    report = grown.load_state_dict(trained.state_dict(), strict=False)
    assert report.missing_keys
    assert all(".temporal." in name for name in report.missing_keys)
    inputs = make_inputs(grown, frames=3)
    assert torch.equal(grown(**inputs), trained(**inputs))


@pytest.mark.parametrize("last_blocks", [None, 4])
def test_new_gates_first_change_nothing_and_then_open(last_blocks, make_net, make_inputs):
    trained = make_net(depth=4)
    grown = CascadeDiT(
        5,
        width=16,
        depth=4,
        num_heads=2,
        patch=2,
        propagation=Propagation(gated=True, last_blocks=last_blocks),
    )
    report = grown.load_state_dict(trained.state_dict(), strict=False)
    assert len(report.missing_keys) == (last_blocks or 2)
    assert all("shared_gate" in name for name in report.missing_keys)
    inputs = make_inputs(grown, frames=5)
    before = trained(**inputs)
    assert torch.equal(grown(**inputs), before)
    optimizer = torch.optim.SGD(grown.parameters(), lr=1e-3)
    (grown(**inputs) - inputs["noisy"]).square().mean().backward()
    optimizer.step()
    with torch.no_grad():
        for parameter, kept in zip(trained.parameters(), _but_gates(grown), strict=True):
            kept.copy_(parameter)
    assert not torch.allclose(grown(**inputs), before, atol=1e-5)


def test_open_gates_are_none(make_net, make_inputs):
    plain, gated = (make_net(depth=4, propagation=Propagation(gated=g)) for g in (False, True))
    gated.load_state_dict(plain.state_dict(), strict=False)
    with torch.no_grad():
        for name, parameter in gated.named_parameters():
            if "shared_gate" in name:
                parameter.fill_(1 / GATE_PACE)
    inputs = make_inputs(plain, frames=4)
    torch.testing.assert_close(gated(**inputs), plain(**inputs), rtol=1e-4, atol=1e-5)


def _but_gates(net):
    return [p for name, p in net.named_parameters() if "shared_gate" not in name]


def test_reset_parameters_draws_a_fresh_network(make_net):
    net = make_net(temporal_blocks=1)
    fresh = CascadeDiT(5, width=16, depth=2, num_heads=2, patch=2, temporal_blocks=1)
    for network in (net, fresh):
        torch.manual_seed(4)
        network.reset_parameters()
    for name, parameter in fresh.named_parameters():
        assert torch.equal(net.get_parameter(name), parameter), name


@pytest.mark.parametrize("name", VIDEO)
def test_gradients_reach_every_parameter(name, make_net, make_inputs):
    net = make_net(**VIDEO[name])
    net(**make_inputs(net, frames=3)).square().sum().backward()
    assert [name for name, p in net.named_parameters() if not (p.grad != 0).any()] == []


def test_recomputing_blocks_changes_no_gradient(make_net, make_inputs):
    plain, lean = make_net(**RELEASED), make_net(**RELEASED, checkpoint_blocks=3)
    for net in (plain, lean):
        net(**make_inputs(net, frames=3)).square().mean().backward()
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(lean.get_parameter(name).grad, parameter.grad)


@pytest.mark.parametrize("prediction", ["velocity", "clean"])
def test_a_velocity_field_is_the_network_at_the_times_of_its_grid(
    prediction, make_net, make_inputs
):
    net, times = make_net(**RELEASED, prediction=prediction), (1.0, 0.6, 0.02)
    inputs = make_inputs(net, frames=3)
    with torch.no_grad():
        field = net.velocity_field(inputs["image"], inputs["features"], times)
        for time in times:
            inputs["time"] = torch.full((2,), time)
            torch.testing.assert_close(
                field(inputs["noisy"], time), net(**inputs), rtol=1e-4, atol=1e-3
            )


def test_bfloat16_autocast_stays_close(make_net, make_inputs):
    net = make_net(**RELEASED, width=32, prediction="clean")
    inputs = make_inputs(net, frames=3)
    exact = net(**inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found = net(**inputs)
    assert found.dtype is torch.float32
    assert (found - exact).abs().mean() < 0.05 * exact.std()


def test_starts_as_the_released_network_but_for_the_gates_of_temporal_blocks():
    stats = load_file(GOLDEN / "dit_video_init_stats_105.safetensors")
    net = CascadeDiT(2048, width=32, depth=4, num_heads=2, temporal_blocks=3)
    temporal = net.blocks[-1].temporal
    ours = {
        "attn.qkv": temporal.attention.qkv,
        "attn.q_norm": temporal.attention.query_norm,
        "attn.k_norm": temporal.attention.key_norm,
        "attn.proj": temporal.attention.out,
        "mlp.fc1": temporal.mlp.hidden,
        "mlp.fc2": temporal.mlp.out,
    }
    for theirs, layer in ours.items():
        for kind in ("weight", "bias"):
            _, deviation, _ = stats[f"out.temporal_blocks.2.{theirs}.{kind}"].tolist()
            found = getattr(layer, kind).std(correction=0).item()
            assert found == pytest.approx(deviation, rel=0.1), theirs
    gates = stats["out.temporal_blocks.2.adaLN_modulation.1.weight"]
    assert gates[1].item() == pytest.approx((2 / (6 * 32 + 32)) ** 0.5, rel=0.1)  # Xavier
    assert (net.modulator.temporal.weight == 0).all()


def test_clips_that_do_not_fit_are_named(make_net, make_inputs):
    net = make_net(propagation=Propagation((2, 3)))
    short, inputs = make_inputs(net, frames=2), make_inputs(net, frames=3)
    with pytest.raises(ValueError, match=r"clips must have more than 2 frames.*\(2, 3\), got 2"):
        net(**short)
    with pytest.raises(ValueError, match=r"image must be \(B, 3, H, W\) or .*got \[2, 3, 1, 8"):
        net.condition(inputs["noisy"])
    with pytest.raises(
        ValueError, match=r"features must be of the same clips, \[2, 3\], got \[6\]"
    ):
        net.condition(inputs["image"], inputs["features"].flatten(0, 1))
    condition = net.condition(inputs["image"], inputs["features"])
    modulation = net.modulation(inputs["time"])
    for noisy in (inputs["noisy"][:, :2], inputs["noisy"].flatten(0, 1)):
        with pytest.raises(ValueError, match=r"noisy must be \(B, 3, 1, 8, 12\) as the image is"):
            net.denoise(noisy, condition, modulation, 0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temporal_blocks": 3}, r"temporal_blocks must be in 0\.\.2, got 3"),
        ({"propagation": Propagation(last_blocks=3)}, r"last_blocks must be in 1\.\.2, got 3"),
    ],
)
def test_numbers_that_do_not_fit_together_are_named(options, message, make_net):
    with pytest.raises(ValueError, match=message):
        make_net(**options)
