import logging

import pytest
import torch
from safetensors.torch import save_file

from ppvd.weights.files import encoder_kind, holds_network, network, read_metadata, read_weights


@pytest.fixture
def state(golden, weights):
    return weights(golden("dit_grad_a"))


def under(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def parameters(net):
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("prefix", ["dit.", "pipeline.dit.", ""])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_network_is_read_under_every_published_prefix(prefix, suffix, state, tmp_path):
    path = tmp_path / f"x{suffix}"
    save = save_file if suffix == ".safetensors" else torch.save
    save({name: t.contiguous() for name, t in under(prefix, state).items()}, path)
    read = read_weights(path)
    assert holds_network(read)
    assert equal(parameters(network(read, where="x")), parameters(network(state, where="x")))


def test_a_lightning_checkpoint_of_the_public_training_code_is_read(state, tmp_path):
    content = {"epoch": 3, "state_dict": under("pipeline.dit.", state), "optimizer_states": []}
    torch.save(content, tmp_path / "last.ckpt")
    read = read_weights(tmp_path / "last.ckpt")
    assert equal(parameters(network(read, where="x")), parameters(network(state, where="x")))


def test_an_encoder_beside_the_network_is_passed_over(state):
    beside = {"sem_encoder.cls_token": torch.zeros(1)}
    found = network({**under("dit.", state), **beside}, where="x")
    assert equal(parameters(found), parameters(network(state, where="x")))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened_and_said_so(dtype, state, tmp_path, caplog):
    halves = {name: tensor.to(dtype) for name, tensor in state.items()}
    torch.save(halves, tmp_path / "half.pth")
    with caplog.at_level(logging.WARNING):
        read = read_weights(tmp_path / "half.pth")
    assert f"half.pth holds ['{dtype}'], widened to float32" in caplog.text
    wide = {name: tensor.float() for name, tensor in halves.items()}
    found = network(read, where="x")
    assert equal(parameters(found), parameters(network(wide, where="x")))
    assert {p.dtype for p in found.parameters()} == {torch.float32}


def test_full_precision_says_nothing(state, tmp_path, caplog):
    torch.save(state, tmp_path / "x.pth")
    read_weights(tmp_path / "x.pth")
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["module.dit.", "model."])
def test_an_unknown_prefix_is_answered_with_the_known_ones(name, state):
    with pytest.raises(ValueError, match=r"w\.pth must hold one published network, .*dit\., "):
        network(under(name, state), where="w.pth")


def test_two_networks_in_one_file_are_refused(state):
    with pytest.raises(ValueError, match="must hold one published network"):
        network({**under("dit.", state), **under("pipeline.dit.", state)}, where="x")


def test_what_is_not_of_the_network_is_named(state):
    both = {**under("dit.", state), "decoder.weight": torch.zeros(1)}
    with pytest.raises(ValueError, match=r"under 'dit\.' alone, got \['decoder\.weight'\] too"):
        network(both, where="x")


def test_a_file_of_another_depth_is_named(state):
    without = {name: t for name, t in state.items() if not name.startswith("blocks.0.")}
    with pytest.raises(ValueError, match=r"weights in w\.pth do not fit: .*missing: \['blocks\.0"):
        network(without, where="w.pth")


def test_every_wrong_shape_is_a_value_error(state):
    for name, tensor in state.items():
        for wrong in (torch.zeros(()), torch.zeros(1), torch.zeros(7, *tensor.shape)):
            with pytest.raises(ValueError, match="weights in x"):
                network({**state, name: wrong}, where="x")


@pytest.mark.parametrize(
    ("golden_name", "prefix", "kind"),
    [
        ("dav2_a", "", "depth_anything_v2"),
        ("dinov2_noreg_a", "", "dinov2"),
        ("mae_a", "", "mae"),
        ("moge2_a", "", "moge2"),
        ("pi3_a", "", "pi3"),
        ("vggt_aggregator_a", "aggregator.", "vggt"),
    ],
)
def test_an_encoder_is_told_by_its_names(golden_name, prefix, kind, golden, weights):
    state = weights(golden(golden_name))
    state = state if prefix and next(iter(state)).startswith(prefix) else under(prefix, state)
    assert encoder_kind(state, where="x") == kind


def test_no_encoder_is_told_of_other_names(state):
    with pytest.raises(ValueError, match=r"x\.pt must be of a published encoder \(depth_any"):
        encoder_kind(state, where="x.pt")


def test_metadata_of_a_damaged_file(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"readable checkpoint, got .*x\.safetensors"):
        read_metadata(tmp_path / "x.safetensors")
    (tmp_path / "x.pth").touch()
    assert read_metadata(tmp_path / "x.pth") == {}
    with pytest.raises(ValueError, match=r"weights must name a file, got .*gone\.safetensors"):
        read_metadata(tmp_path / "gone.safetensors")
