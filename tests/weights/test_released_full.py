"""The full-size network, about 15 s and 4.3 GB of memory."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from ppvd.weights import image_dit

FULL = Path(__file__).parents[1] / "golden" / "released" / "full_dit.safetensors"


def _layers(width=1024, depth=24, head_dim=64, semantic_width=1024):
    """Shape of every released weight; a bias has the length of its weight's first side."""
    yield "x_embedder.proj", (width, 4, 16, 16)
    yield "t_embedder.mlp.0", (width, 256)
    yield "t_embedder.mlp.2", (width, width)
    yield "proj_fusion.0", (4 * width, width + semantic_width)
    yield "proj_fusion.2", (4 * width, 4 * width)
    yield "proj_fusion.4", (4 * width, 4 * width)
    yield "final_layer.linear", (64, width)
    yield "final_layer.adaLN_modulation.1", (2 * width, width)
    for index in range(depth):
        yield f"blocks.{index}.attn.qkv", (3 * width, width)
        yield f"blocks.{index}.attn.q_norm", (head_dim,)
        yield f"blocks.{index}.attn.k_norm", (head_dim,)
        yield f"blocks.{index}.attn.proj", (width, width)
        yield f"blocks.{index}.mlp.fc1", (4 * width, width)
        yield f"blocks.{index}.mlp.fc2", (width, 4 * width)
        yield f"blocks.{index}.adaLN_modulation.1", (6 * width, width)


def _state_dict(hash_uniform):
    shapes = {f"{name}.weight": shape for name, shape in _layers()}
    shapes |= {f"{name}.bias": shape[:1] for name, shape in _layers()}
    state = {}
    for place, name in enumerate(sorted(shapes)):
        unit = hash_uniform(shapes[name], 10000 + place, -1, 1)
        if name.endswith("bias"):
            state[name] = 0.15 * unit
        elif unit.ndim == 1:
            state[name] = 1 + 0.3 * unit
        else:
            state[name] = unit * (3 / unit[0].numel()) ** 0.5
    return state


@pytest.mark.slow
def test_the_full_network_matches_the_released_one(hash_uniform):
    with safe_open(FULL, "pt") as file:
        expected, metadata = file.get_tensor("out.velocity"), file.metadata()
    assert "timestep int32 [20,905]" in json.dumps(metadata)
    x = hash_uniform((2, 4, 64, 96), 1, -2, 2)
    semantics = hash_uniform((2, 24, 1024), 2, -3, 3)
    net = image_dit(_state_dict(hash_uniform))
    with torch.no_grad():
        velocity = net(
            x[:, :1],
            x[:, 1:] + 0.5,
            torch.tensor([0.020, 0.905]),
            semantics.transpose(1, 2).unflatten(2, (4, 6)),
        )
    assert (velocity - expected).abs().max() < 2e-5 * expected.std()
