"""The released checkpoints' names, mapped strictly to ours.

Three things differ in more than name. Ours keeps the two halves of the patch embedding and
of the fusion's first layer apart; it holds all adaLN matrices in one; and its rotary pairs
lie half a head apart where the released ones lie a quarter, so query and key channels are
permuted. The function computed is the same.
"""

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ppvd.nn import CascadeDiT
from ppvd.weights.encoders import encoder

__all__ = ["encoder", "image_dit", "image_dit_names"]

_RENAMED = {
    "attn.qkv": "attention.qkv",
    "attn.q_norm": "attention.query_norm",
    "attn.k_norm": "attention.key_norm",
    "attn.proj": "attention.out",
    "mlp.fc1": "mlp.hidden",
    "mlp.fc2": "mlp.out",
}


def image_dit(state_dict: Mapping[str, Tensor]) -> CascadeDiT:
    """Build the network of a released image checkpoint, with its weights.

    Args:
        state_dict: Tensors under the released names of the DiT, without prefix.

    Returns:
        The network, float32, on the CPU; it shares no memory with ``state_dict``.

    Raises:
        ValueError: If a name is missing, unknown or of the wrong shape.
    """
    _require_names(state_dict)
    with torch.device("meta"):
        network = CascadeDiT(
            state_dict["proj_fusion.0.weight"].shape[1] - len(state_dict["x_embedder.proj.bias"]),
            width=len(state_dict["x_embedder.proj.bias"]),
            depth=_depth(state_dict),
            num_heads=len(state_dict["x_embedder.proj.bias"])
            // len(state_dict["blocks.0.attn.q_norm.weight"]),
            patch=state_dict["x_embedder.proj.weight"].shape[-1] // 2,
        )
    network = network.to_empty(device="cpu")
    parameters = dict(network.named_parameters())
    try:
        # One by one, so that no second copy of the whole network is ever alive.
        for name, tensor in image_dit_names(state_dict):
            _fill(parameters.pop(name), name, tensor)
    except RuntimeError as error:
        raise ValueError(f"the checkpoint does not fit a released image DiT: {error}") from error
    assert not parameters, f"nothing fills {list(parameters)}"
    return network


def image_dit_names(state_dict: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a released image DiT, or their gradients, under our names."""
    depth = _depth(state_dict)
    yield from _embeddings(state_dict)
    yield from _modulator(state_dict, depth)
    yield from _fusion(state_dict)
    yield from _blocks(state_dict, depth)
    yield "head.weight", state_dict["final_layer.linear.weight"]
    yield "head.bias", state_dict["final_layer.linear.bias"]


def _fill(parameter: Tensor, name: str, tensor: Tensor) -> None:
    if parameter.shape != tensor.shape:
        raise ValueError(
            f"{name} must have the shape {tuple(parameter.shape)} in this checkpoint, "
            f"got {tuple(tensor.shape)}"
        )
    parameter.data.copy_(tensor)


def _embeddings(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    patches = state["x_embedder.proj.weight"]  # (D, depth and RGB, 2 patch, 2 patch)
    yield "embed.noisy.weight", patches[:, :1].flatten(1)
    yield "embed.noisy.bias", state["x_embedder.proj.bias"]
    yield "embed.image.weight", patches[:, 1:].flatten(1)
    for kind in ("weight", "bias"):
        yield f"modulator.embed.hidden.{kind}", state[f"t_embedder.mlp.0.{kind}"]
        yield f"modulator.embed.out.{kind}", state[f"t_embedder.mlp.2.{kind}"]


def _modulator(state: Mapping[str, Tensor], depth: int) -> Iterator[tuple[str, Tensor]]:
    owners = [*(f"blocks.{index}" for index in range(depth)), "final_layer"]
    for kind in ("weight", "bias"):
        parts = [state[f"{owner}.adaLN_modulation.1.{kind}"] for owner in owners]
        yield f"modulator.out.{kind}", torch.cat(parts)


def _fusion(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    width = len(state["x_embedder.proj.bias"])
    first = state["proj_fusion.0.weight"]
    yield "fusion.tokens.weight", first[:, :width]
    yield "fusion.tokens.bias", state["proj_fusion.0.bias"]
    yield "fusion.features.weight", first[:, width:]
    for kind in ("weight", "bias"):
        yield f"fusion.middle.{kind}", state[f"proj_fusion.2.{kind}"]
        yield f"fusion.out.{kind}", state[f"proj_fusion.4.{kind}"]


def _blocks(state: Mapping[str, Tensor], depth: int) -> Iterator[tuple[str, Tensor]]:
    head_dim = len(state["blocks.0.attn.q_norm.weight"])
    for index in range(depth):
        for theirs, ours in _RENAMED.items():
            for kind in ("weight", "bias"):
                tensor = state[f"blocks.{index}.{theirs}.{kind}"]
                yield f"blocks.{index}.{ours}.{kind}", _reorder(theirs, tensor, head_dim)


def _reorder(layer: str, rows: Tensor, head_dim: int) -> Tensor:
    """Bring the rows of a released layer into the order of ours."""
    if layer in ("attn.q_norm", "attn.k_norm"):
        return _pair_across_head(rows, head_dim)
    if layer == "attn.qkv":
        query, key, value = rows.chunk(3)
        return torch.cat([*(_pair_across_head(part, head_dim) for part in (query, key)), value])
    return rows


def _pair_across_head(rows: Tensor, head_dim: int) -> Tensor:
    """Reorder each head's rows from (y1, y2, x1, x2) to (y1, x1, y2, x2)."""
    quarters = rows.reshape(-1, 2, 2, head_dim // 4, *rows.shape[1:])  # (heads, axis, half, ...)
    return quarters.transpose(1, 2).reshape(rows.shape)


def _depth(state: Mapping[str, Tensor]) -> int:
    return 1 + max(
        (int(found[1]) for name in state if (found := re.match(r"blocks\.(\d+)\.", name))),
        default=0,
    )


def _require_names(state: Mapping[str, Tensor]) -> None:
    """Raise unless exactly the names of a DiT of that depth are there."""
    layers = ["x_embedder.proj", "t_embedder.mlp.0", "t_embedder.mlp.2"]
    layers += [f"proj_fusion.{place}" for place in (0, 2, 4)]
    layers += ["final_layer.linear", "final_layer.adaLN_modulation.1"]
    for index in range(_depth(state)):
        layers += [f"blocks.{index}.{part}" for part in (*_RENAMED, "adaLN_modulation.1")]
    expected = {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
    missing, unknown = sorted(expected - state.keys()), sorted(state.keys() - expected)
    if missing or unknown:
        raise ValueError(
            "the checkpoint must hold exactly the tensors of a released image DiT; "
            f"missing: {missing or 'none'}; unknown: {unknown or 'none'}"
        )
