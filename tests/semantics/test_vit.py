import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from ppvd.semantics import ViT

GOLDEN = Path(__file__).parents[1] / "golden" / "released"


def tiny(**changes):
    return ViT(**{"width": 16, "depth": 2, "num_heads": 2, "patch": 4, "grid": 4} | changes)


def golden(name):
    with safe_open(GOLDEN / f"{name}.safetensors", "pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    state = {key[3:]: value for key, value in tensors.items() if key.startswith("sd.")}
    vit = ViT(
        width=config["embed_dim"],
        depth=config["depth"],
        num_heads=config["num_heads"],
        patch=config["patch_size"],
        grid=config["img_size"] // config["patch_size"],
        num_registers=config["num_register_tokens"],
        offset=config["interpolate_offset"],
        antialias=config["interpolate_antialias"],
    )
    vit.load_state_dict(state, strict=True)
    return vit.eval(), tensors


@pytest.mark.parametrize("name", ["dinov2_noreg_a", "dinov2_reg_a"])
@pytest.mark.parametrize("size", ["42x70", "70x70", "98x28"])
@torch.no_grad()
def test_equals_released_dinov2(name, size):
    vit, tensors = golden(name)
    image = tensors[f"in.x_{size}"]
    patches = vit(image).flatten(2).transpose(1, 2)
    expected = tensors[f"out.patch_{size}"]
    assert (patches - expected).abs().max() <= 2e-5 * expected.std()
    class_token = vit.tokens(image)[:, 0]
    assert (class_token - tensors[f"out.cls_{size}"]).abs().max() <= 2e-5 * expected.std()


def test_norm_eps_is_the_released_one():
    assert {m.eps for m in tiny().modules() if isinstance(m, torch.nn.LayerNorm)} == {1e-6}


def test_published_names_and_shapes():
    state = tiny(num_registers=3).state_dict()
    assert "mask_token" not in state
    assert state["register_tokens"].shape == (1, 3, 16)
    assert state["pos_embed"].shape == (1, 17, 16)
    assert state["blocks.1.attn.qkv.weight"].shape == (48, 16)
    assert state["blocks.0.ls2.gamma"].shape == (16,)


def test_layer_scale_can_be_left_out():
    assert not [name for name in tiny(layer_scale=None).state_dict() if ".ls" in name]


def test_full_size_has_the_released_number_of_weights():
    with torch.device("meta"):
        vit = ViT(width=1024, depth=24, num_heads=16, patch=14, grid=37)
    count = sum(parameter.numel() for parameter in vit.parameters())
    assert count == 304_368_640 - 1024  # all but the mask token


@torch.no_grad()
def test_forward_equals_the_formulas_in_numpy():
    torch.manual_seed(0)
    vit = tiny(depth=1, grid=2).double()
    for parameter in vit.parameters():
        parameter.normal_()
    image = torch.randn(1, 3, 8, 8, dtype=torch.float64)
    w = {name: value.numpy() for name, value in vit.state_dict().items()}

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    cells = image.numpy()[0].reshape(3, 2, 4, 2, 4).transpose(1, 3, 0, 2, 4).reshape(4, 48)
    kernel = w["patch_embed.proj.weight"].reshape(16, 48)
    x = np.concatenate([w["cls_token"][0], cells @ kernel.T + w["patch_embed.proj.bias"]])
    x = x + w["pos_embed"][0]
    q, k, v = np.split(linear(norm(x, "blocks.0.norm1"), "blocks.0.attn.qkv"), 3, axis=-1)
    heads = []
    for head in (slice(0, 8), slice(8, 16)):
        weight = np.exp(q[:, head] @ k[:, head].T / math.sqrt(8))
        heads.append(weight / weight.sum(-1, keepdims=True) @ v[:, head])
    x = x + w["blocks.0.ls1.gamma"] * linear(np.concatenate(heads, -1), "blocks.0.attn.proj")
    h = linear(norm(x, "blocks.0.norm2"), "blocks.0.mlp.fc1")
    h = h * 0.5 * (1 + np.vectorize(math.erf)(h / math.sqrt(2)))
    x = norm(x + w["blocks.0.ls2.gamma"] * linear(h, "blocks.0.mlp.fc2"), "norm")
    np.testing.assert_allclose(vit.tokens(image)[0].numpy(), x, atol=1e-9)


@torch.no_grad()
def test_features_keep_the_place_of_their_patch():
    vit = tiny(depth=0)
    image = torch.zeros(1, 3, 8, 12)
    changed = image.clone()
    changed[..., 4:8, 8:12] = 1.0
    moved = (vit(image) - vit(changed)).abs().sum((0, 1)) > 1e-6
    assert moved.tolist() == [[False, False, False], [False, False, True]]


def test_every_weight_learns():
    vit = tiny(num_registers=1)
    vit(torch.rand(2, 3, 12, 8)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in vit.parameters())


def test_initial_weights_are_small_and_biases_zero():
    torch.manual_seed(0)
    vit = tiny(width=64)
    assert 0.015 < vit.blocks[0].mlp.fc1.weight.std() < 0.022
    assert not vit.blocks[0].attn.qkv.bias.any()
    assert (vit.blocks[0].ls1.gamma == 1).all()


def test_compiles_without_a_graph_break():
    vit = torch.compile(tiny(), fullgraph=True, backend="eager")
    assert vit(torch.rand(1, 3, 8, 16)).shape == (1, 16, 2, 4)


@pytest.mark.parametrize(("size", "named"), [((10, 8), "height"), ((8, 10), "width")])
def test_size_that_the_patch_does_not_divide(size, named):
    with pytest.raises(ValueError, match=f"image {named} must be divisible by 4, got 10"):
        tiny()(torch.rand(1, 3, *size))


def test_heads_that_do_not_divide_the_width():
    with pytest.raises(ValueError, match="width must be divisible by num_heads 3, got 16"):
        tiny(num_heads=3)
