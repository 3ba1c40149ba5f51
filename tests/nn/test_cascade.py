import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from ppvd.nn import CascadeDiT

GOLDEN = Path(__file__).parents[1] / "golden" / "released"
TABLE_III = {
    "DiT (vanilla)": {"semantic_width": 0, "coarse_factor": 1},
    "SP-DiT": {"semantic_width": 5, "coarse_factor": 1},
    "SP-DiT + Cas-DiT": {"semantic_width": 5, "coarse_factor": 2},
    "Cas-DiT without semantics": {"semantic_width": 0, "coarse_factor": 2},
    "cascade by three": {"semantic_width": 5, "coarse_factor": 3},
}


def test_full_size_has_the_released_number_of_parameters():
    with torch.device("meta"):
        net = CascadeDiT(1024)
    assert sum(parameter.numel() for parameter in net.parameters()) == 499_842_112


@pytest.mark.parametrize("row", TABLE_III)
@pytest.mark.parametrize("positions", ["rotary", "sincos"])
def test_every_configuration_keeps_the_size_of_the_image(row, positions, make_net, make_inputs):
    net = make_net(**TABLE_III[row], positions=positions)
    inputs = make_inputs(net, rows=2, cols=5)
    velocity = net(**inputs)
    assert velocity.shape == inputs["noisy"].shape
    assert velocity.dtype is torch.float32


def test_the_vanilla_network_has_no_fusion(make_net):
    assert make_net(**TABLE_III["DiT (vanilla)"]).fusion is None


@pytest.mark.parametrize("row", TABLE_III)
def test_gradients_reach_every_parameter(row, make_net, make_inputs):
    net = make_net(**TABLE_III[row])
    net(**make_inputs(net)).square().sum().backward()
    assert [name for name, p in net.named_parameters() if not (p.grad != 0).any()] == []


@pytest.mark.parametrize("prediction", ["velocity", "clean"])
def test_forward_composes_condition_modulation_and_denoise(prediction, make_net, make_inputs):
    net = make_net(prediction=prediction)
    inputs = make_inputs(net)
    condition = net.condition(inputs["image"], inputs["features"])
    modulation = net.modulation(inputs["time"])
    again = net.denoise(inputs["noisy"], condition, modulation, inputs["time"])
    assert torch.equal(net(**inputs), again)


@pytest.mark.parametrize("prediction", ["velocity", "clean"])
def test_a_velocity_field_is_the_network_at_the_times_of_its_grid(
    prediction, make_net, make_inputs
):
    net, times = make_net(prediction=prediction), (1.0, 0.6, 0.02, 0.0)
    inputs = make_inputs(net)
    with torch.no_grad():
        field = net.velocity_field(inputs["image"], inputs["features"], times)
        for time in times:
            inputs["time"] = torch.full((2,), time)
            torch.testing.assert_close(
                field(inputs["noisy"], time), net(**inputs), rtol=1e-5, atol=1e-4
            )


def test_samples_of_a_batch_do_not_see_each_other(make_net, make_inputs):
    net = make_net()
    inputs = make_inputs(net, batch=3)
    flipped = net(**{name: value.flip(0) for name, value in inputs.items()}).flip(0)
    torch.testing.assert_close(flipped, net(**inputs))


def test_one_condition_serves_many_noisy_samples(make_net, make_inputs):
    net = make_net()
    inputs = make_inputs(net, batch=3)
    single = {name: inputs[name][:1] for name in ("image", "features")}
    modulation = net.modulation(inputs["time"])
    many = net.denoise(inputs["noisy"], net.condition(**single), modulation, inputs["time"])
    repeated = {name: value.expand(3, *value.shape[1:]) for name, value in single.items()}
    expected = net(inputs["noisy"], repeated["image"], inputs["time"], repeated["features"])
    torch.testing.assert_close(many, expected)


def test_starts_with_zero_velocity(make_inputs):
    net = CascadeDiT(5, width=16, depth=2, num_heads=2, patch=2)
    assert (net(**make_inputs(net)) == 0).all()


def test_a_clean_prediction_is_read_as_the_velocity_towards_it(make_net, make_inputs):
    net = make_net(prediction="clean", min_time=0.1)
    inputs = make_inputs(net)
    inputs["time"] = torch.tensor([0.4, 0.02])
    found = net(**inputs)
    net.head.prediction = "velocity"
    clean = net(**inputs)
    expected = (inputs["noisy"] - clean) / torch.tensor([0.4, 0.1]).view(2, 1, 1, 1)
    torch.testing.assert_close(found, expected)


def test_tapped_tokens_lie_where_their_pixels_do(make_net, make_inputs):
    net = make_net(depth=4, split=2)
    inputs = make_inputs(net)
    condition = net.condition(inputs["image"], inputs["features"])
    arguments = inputs["noisy"], condition, net.modulation(inputs["time"]), inputs["time"]
    velocity, coarse = net.denoise_with_tokens(*arguments, tap=1)
    assert torch.equal(velocity, net.denoise(*arguments))
    assert coarse.shape == (2, 16, 2, 3)
    _, fine = net.denoise_with_tokens(*arguments, tap=3)
    assert fine.shape == (2, 16, 4, 6)
    # The head paints the last tokens: from the tapped map it must paint the same velocity.
    shift, scale = net.modulation(inputs["time"]).head()
    tokens = fine.flatten(2).transpose(1, 2)
    patches = net.head(F.layer_norm(tokens, (16,), eps=1e-6) * scale + shift)
    painted = F.pixel_shuffle(patches.transpose(1, 2).unflatten(2, (4, 6)), 2)
    torch.testing.assert_close(painted, velocity, rtol=1e-5, atol=1e-5)


def test_recomputing_blocks_changes_no_gradient(make_net, make_inputs):
    plain, lean = make_net(depth=4), make_net(depth=4, checkpoint_blocks=3)
    for net in (plain, lean):
        net(**make_inputs(net)).square().mean().backward()
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(lean.get_parameter(name).grad, parameter.grad)


def test_recomputing_blocks_saves_activations(make_net, make_inputs):
    saved = {}
    for blocks in (0, 3):
        net = make_net(depth=4, checkpoint_blocks=blocks)
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, sizes=sizes: (sizes.append(t.nbytes), t)[1], lambda t: t
        ):
            net(**make_inputs(net))
        saved[blocks] = sum(sizes)
    assert saved[3] < 0.5 * saved[0]


def test_bfloat16_autocast_stays_close_and_returns_float32(make_net, make_inputs):
    net = make_net(width=32, prediction="clean")
    inputs = make_inputs(net)
    exact = net(**inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found = net(**inputs)
    assert found.dtype is torch.float32
    assert (found - exact).abs().mean() < 0.05 * exact.std()


def test_tokens_stay_bfloat16_under_autocast(make_net, make_inputs):
    net = make_net()
    inputs = make_inputs(net)
    with torch.autocast("cpu", torch.bfloat16):
        condition = net.condition(inputs["image"], inputs["features"])
        modulation = net.modulation(inputs["time"])
        _, tokens = net.denoise_with_tokens(inputs["noisy"], condition, modulation, 0.5, tap=1)
    assert tokens.dtype is torch.bfloat16


def test_a_network_cast_to_bfloat16_takes_and_returns_float32(make_net, make_inputs):
    net = make_net(width=32)
    inputs = make_inputs(net)
    exact = net(**inputs)
    found = copy.deepcopy(net).bfloat16()(**inputs)
    assert found.dtype is torch.float32
    assert (found - exact).abs().mean() < 0.05 * exact.std()


def test_training_works_on_a_grid_first_met_in_inference_mode(make_net, make_inputs):
    net = make_net()
    inputs = make_inputs(net, rows=5, cols=1)
    with torch.inference_mode():
        net(**inputs)
    net(**inputs).sum().backward()


def test_starts_as_the_released_network():
    stats = load_file(GOLDEN / "dit_init_stats_105.safetensors")
    net = CascadeDiT(1024, width=32, depth=2, num_heads=2)
    zero = {name for name, (_, _, largest) in stats.items() if largest == 0}
    assert zero >= {f"out.blocks.{i}.adaLN_modulation.1.weight" for i in (0, 1)}
    ours = {
        "x_embedder.proj": net.embed.noisy,
        "t_embedder.mlp.0": net.modulator.embed.hidden,
        "t_embedder.mlp.2": net.modulator.embed.out,
        "proj_fusion.0": net.fusion.tokens,
        "proj_fusion.2": net.fusion.middle,
        "proj_fusion.4": net.fusion.out,
        "final_layer.linear": net.head,
        "blocks.0.adaLN_modulation.1": net.modulator.out,
        "final_layer.adaLN_modulation.1": net.modulator.out,
        "blocks.1.attn.qkv": net.blocks[1].attention.qkv,
        "blocks.1.attn.q_norm": net.blocks[1].attention.query_norm,
        "blocks.1.attn.k_norm": net.blocks[1].attention.key_norm,
        "blocks.1.attn.proj": net.blocks[1].attention.out,
        "blocks.1.mlp.fc1": net.blocks[1].mlp.hidden,
        "blocks.1.mlp.fc2": net.blocks[1].mlp.out,
    }
    for theirs, layer in ours.items():
        for kind in ("weight", "bias"):
            mean, deviation, _ = stats[f"out.{theirs}.{kind}"].tolist()
            tensor = getattr(layer, kind)
            assert tensor.std(correction=0).item() == pytest.approx(deviation, rel=0.1), theirs
            if deviation == 0:
                assert (tensor == mean).all(), theirs


def test_reset_parameters_draws_a_fresh_network(make_net):
    net, fresh = make_net(), CascadeDiT(5, width=16, depth=2, num_heads=2, patch=2)
    torch.manual_seed(4)
    net.reset_parameters()
    torch.manual_seed(4)
    fresh.reset_parameters()
    for name, parameter in fresh.named_parameters():
        assert torch.equal(net.get_parameter(name), parameter), name
    assert (net.modulator.out.weight == 0).all()


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((518, 512), "image height must be divisible by 16, got 518"),
        ((512, 8), "image width must be divisible by 16, got 8"),
    ],
)
def test_an_image_that_does_not_fit_is_named(size, message):
    with torch.device("meta"):
        net = CascadeDiT(width=16, depth=2, num_heads=2)
        with pytest.raises(ValueError, match=message):
            net.condition(torch.zeros(1, 3, *size))


def test_other_inputs_that_do_not_fit_are_named(make_net, make_inputs):
    net = make_net()
    inputs = make_inputs(net)
    with pytest.raises(ValueError, match="features must have semantic_width = 5 channels, got 0"):
        net.condition(inputs["image"])
    with pytest.raises(ValueError, match="semantic_width = 5 channels, got 7"):
        net.condition(inputs["image"], torch.zeros(2, 7, 2, 3))
    condition, modulation = (
        net.condition(inputs["image"], inputs["features"]),
        net.modulation(inputs["time"]),
    )
    with pytest.raises(ValueError, match=r"tap must be a block in 0\.\.1, got 2"):
        net.denoise_with_tokens(inputs["noisy"], condition, modulation, 0.5, tap=2)
    with pytest.raises(ValueError, match="noisy must have the size of the image, 8 x 12"):
        net.denoise(inputs["noisy"][..., 4:], condition, modulation, 0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_heads": 3}, r"width must be divisible by 4 \* num_heads = 12, got 16"),
        ({"split": 2}, "split must be between 1 and depth - 1 = 1, got 2"),
        ({"prediction": "noise"}, "prediction must be one of velocity, clean, got noise"),
        ({"positions": "none"}, "positions must be one of rotary, sincos, got none"),
        ({"depth": 1}, "depth must be at least 2, got 1"),
        ({"patch": 0}, "patch must be above 0, got 0"),
        ({"min_time": 0.0}, r"min_time must be above 0, got 0\.0"),
        ({"checkpoint_blocks": 3}, r"checkpoint_blocks must be in 0\.\.2, got 3"),
    ],
)
def test_numbers_that_do_not_fit_together_are_named(options, message, make_net):
    with pytest.raises(ValueError, match=message):
        make_net(**options)
