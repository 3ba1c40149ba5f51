import pytest
import torch

from ppvd.flow import clean_from_velocity, euler, interpolate, released_grid, velocity
from ppvd.losses import FlowStep, GradientMatching, VelocityError
from ppvd.weights import image_dit
from ppvd.weights.dit_names import our_names

TOLERANCE = 2e-5


def assert_close(found, expected, tolerance=TOLERANCE):
    assert (found - expected).abs().max() < tolerance * expected.std()


@pytest.mark.parametrize("name", ["dit_a", "dit_b_wide", "dit_grad_a"])
def test_matches_the_released_velocity(name, released, inputs):
    golden, net = released(name)
    found = net(**inputs(golden["in.x"], golden["in.semantics"], golden["in.timestep"]))
    assert_close(found, golden["out.velocity"])


@pytest.mark.parametrize("name", ["dit_a", "dit_b_wide"])
def test_matches_the_released_velocity_in_a_sampler(name, released, inputs):
    golden, net = released(name)
    time = golden["in.timestep_scalar"][None]
    given = inputs(golden["in.x"][:1], golden["in.semantics"][:1], time)
    with torch.no_grad():
        field = net.velocity_field(given["image"], given["features"], given["time"].tolist())
        found = field(given["noisy"], given["time"].item())
    assert_close(found, golden["out.velocity_scalar_t_first_image"])


@pytest.mark.parametrize("tap", [0, 3])
def test_matches_the_released_tokens_inside(tap, released, inputs):
    golden, net = released("dit_a")
    given = inputs(golden["in.x"], golden["in.semantics"], golden["in.timestep"])
    _, tokens = net.denoise_with_tokens(
        given["noisy"],
        net.condition(given["image"], given["features"]),
        net.modulation(given["time"]),
        given["time"],
        tap=tap,
    )
    expected = golden[f"tap.blocks.{tap}"]  # row-major; every third token of the fine grid
    stride = 1 if tap == 0 else 3
    assert_close(tokens.flatten(2).transpose(1, 2)[:, ::stride], expected)


def test_matches_the_released_gradients(released, inputs):
    golden, net = released("dit_grad_a")
    x, semantics = golden["in.x"].requires_grad_(), golden["in.semantics"].requires_grad_()
    velocity = net(**inputs(x, semantics, golden["in.timestep"]))
    (velocity * golden["in.grad_out"]).sum().backward()
    assert_close(x.grad, golden["out.grad_x"])
    assert_close(semantics.grad[:, :2], golden["out.grad_semantics_0_2"])
    # Gradients travel under the names of their weights; large ones are kept as norms alone.
    stand_in = {k.removeprefix("sd."): torch.zeros_like(v) for k, v in golden.items() if "sd." in k}
    kept = {k.removeprefix("out.grad."): v for k, v in golden.items() if "out.grad." in k}
    whole = {k: v for k, v in our_names({**stand_in, **kept}) if (v != 0).all()}
    assert len(whole) >= 25
    for name, expected in whole.items():
        assert_close(net.get_parameter(name).grad, expected, 1e-4)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("x_embedder.proj", ["embed.noisy", "embed.image"]),
        ("proj_fusion.0", ["fusion.tokens", "fusion.features"]),
        ("proj_fusion.2", ["fusion.middle"]),
        ("proj_fusion.4", ["fusion.out"]),
        ("t_embedder.mlp.0", ["modulator.embed.hidden"]),
    ],
)
def test_matches_the_norms_of_large_released_gradients(theirs, ours, released, inputs):
    golden, net = released("dit_grad_a")
    velocity = net(**inputs(golden["in.x"], golden["in.semantics"], golden["in.timestep"]))
    (velocity * golden["in.grad_out"]).sum().backward()
    parts = [net.get_parameter(f"{name}.weight").grad.double() for name in ours]
    norm = sum(part.square().sum() for part in parts).sqrt().item()
    assert norm == pytest.approx(golden[f"out.gradnorm.{theirs}.weight"].item(), rel=1e-5)


@pytest.mark.parametrize("num_steps", [1, 2, 4, 10])
def test_samples_as_the_released_model_does(num_steps, released):
    golden, net = released("ppd_forward_test_a")
    features = golden["in.semantics"].transpose(1, 2).unflatten(2, (3, 4))
    times = released_grid(num_steps)
    with torch.no_grad():
        field = net.velocity_field(golden["in.image"], features, times)
        code = euler(field, golden["in.noise"], times)
    assert_close(code + 0.5, golden[f"out.depth_steps{num_steps}"])


@pytest.mark.parametrize(("stage", "gradient_weight"), [("pretrain", 0.0), ("finetune", 0.2)])
def test_trains_as_the_released_model_does(stage, gradient_weight, released):
    golden, net = released("ppd_forward_train_a")
    time, clean, noise = golden["in.timesteps"] / 1000, golden["out.latent_gt"], golden["in.noise"]
    noisy = interpolate(clean, noise, time)
    features = golden["in.semantics"].transpose(1, 2).unflatten(2, (3, 4))
    predicted = net(noisy, golden["in.image"], time, features)
    step = FlowStep(
        clean=clean,
        velocity=velocity(clean, noise),
        predicted_velocity=predicted,
        predicted_clean=clean_from_velocity(noisy, predicted, time),
        time=time,
        valid=golden["in.mask"] > 0,
    )
    loss = VelocityError()(step) + gradient_weight * GradientMatching()(step)
    loss.backward()
    assert loss.item() == pytest.approx(golden[f"out.{stage}.loss"].item(), rel=1e-5)
    assert_close(step.predicted_clean + 0.5, golden[f"out.{stage}.depth"])
    gradients = {
        "final_layer.linear.weight": net.head.weight,
        "final_layer.linear.bias": net.head.bias,
        "proj_fusion.4.bias": net.fusion.out.bias,
        "t_embedder.mlp.2.bias": net.modulator.embed.out.bias,
        "x_embedder.proj.bias": net.embed.noisy.bias,
    }
    for theirs, parameter in gradients.items():
        assert_close(parameter.grad, golden[f"out.{stage}.grad.{theirs}"], 1e-4)


def test_shares_no_memory_with_the_checkpoint(golden, weights):
    state = weights(golden("dit_grad_a"))
    before = state["final_layer.linear.bias"].clone()
    net = image_dit(state)
    torch.nn.init.ones_(net.head.bias)
    assert torch.equal(state["final_layer.linear.bias"], before)


def test_a_wrong_checkpoint_is_named(golden, weights):
    state = weights(golden("dit_grad_a"))
    with pytest.raises(ValueError, match=r"missing: \['proj_fusion\.0\.bias'\]; unknown: none"):
        image_dit({k: v for k, v in state.items() if k != "proj_fusion.0.bias"})
    with pytest.raises(ValueError, match=r"missing: none; unknown: \['pos_embed'\]"):
        image_dit({**state, "pos_embed": torch.zeros(1)})
    with pytest.raises(ValueError, match="missing"):
        image_dit({f"dit.{k}": v for k, v in state.items()})
    with pytest.raises(ValueError, match=r"head\.bias must have the shape \(64,\).*got \(1,\)"):
        image_dit({**state, "final_layer.linear.bias": torch.zeros(1)})
    with pytest.raises(ValueError, match="does not fit a released image DiT"):
        image_dit({**state, "blocks.1.attn.qkv.weight": torch.zeros(90, 32)})
