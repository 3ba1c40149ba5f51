"""The names of the released networks' tensors, and what becomes of each in ours.

Three things differ in more than name. Ours keeps the two halves of the patch embedding and
of the fusion's first layer apart; it holds the adaLN matrices of all blocks in one, and those
of all temporal blocks in another; and its rotary pairs lie half a head apart where the
released ones lie a quarter, so query and key channels are permuted (without rotary positions
any order will do). The function computed is the same.
"""

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

POSITIONS = "pos_embed"
"""The video model's table of positions: fixed, so ours computes it."""

_RENAMED = {
    "attn.qkv": "attention.qkv",
    "attn.q_norm": "attention.query_norm",
    "attn.k_norm": "attention.key_norm",
    "attn.proj": "attention.out",
    "mlp.fc1": "mlp.hidden",
    "mlp.fc2": "mlp.out",
}


def our_names(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a released DiT, or their gradients, under our names."""
    depth, num_temporal = count(state, "blocks"), count(state, "temporal_blocks")
    yield from _embeddings(state)
    yield from _modulator("out", state, [*_each("blocks", depth), "final_layer"])
    if num_temporal:
        yield from _modulator("temporal", state, _each("temporal_blocks", num_temporal))
    yield from _fusion(state)
    for index in range(depth):
        yield from _block(state, f"blocks.{index}", f"blocks.{index}")
    for index in range(num_temporal):
        place = depth - num_temporal + index  # one before each of the last blocks
        yield from _block(state, f"temporal_blocks.{index}", f"blocks.{place}.temporal")
    for kind in ("weight", "bias"):
        yield f"head.{kind}", state[f"final_layer.linear.{kind}"]


def expected_names(depth: int, num_temporal: int) -> set[str]:
    """Return the names of a released DiT of that many blocks."""
    layers = ["x_embedder.proj", "t_embedder.mlp.0", "t_embedder.mlp.2"]
    layers += [f"proj_fusion.{place}" for place in (0, 2, 4)]
    layers += ["final_layer.linear", "final_layer.adaLN_modulation.1"]
    for block in (*_each("blocks", depth), *_each("temporal_blocks", num_temporal)):
        layers += [f"{block}.{part}" for part in (*_RENAMED, "adaLN_modulation.1")]
    return {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}


def count(state: Mapping[str, Tensor], blocks: str) -> int:
    """Return one more than the last index in a list of blocks."""
    matches = (re.match(rf"{blocks}\.(\d+)\.", name) for name in state)
    return 1 + max((int(found[1]) for found in matches if found), default=-1)


def _each(blocks: str, number: int) -> list[str]:
    return [f"{blocks}.{index}" for index in range(number)]


def _embeddings(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    patches = state["x_embedder.proj.weight"]  # (D, depth and RGB, 2 patch, 2 patch)
    yield "embed.noisy.weight", patches[:, :1].flatten(1)
    yield "embed.noisy.bias", state["x_embedder.proj.bias"]
    yield "embed.image.weight", patches[:, 1:].flatten(1)
    for kind in ("weight", "bias"):
        yield f"modulator.embed.hidden.{kind}", state[f"t_embedder.mlp.0.{kind}"]
        yield f"modulator.embed.out.{kind}", state[f"t_embedder.mlp.2.{kind}"]


def _modulator(
    ours: str, state: Mapping[str, Tensor], owners: list[str]
) -> Iterator[tuple[str, Tensor]]:
    for kind in ("weight", "bias"):
        parts = [state[f"{owner}.adaLN_modulation.1.{kind}"] for owner in owners]
        yield f"modulator.{ours}.{kind}", torch.cat(parts)


def _fusion(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    width = len(state["x_embedder.proj.bias"])
    first = state["proj_fusion.0.weight"]
    yield "fusion.tokens.weight", first[:, :width]
    yield "fusion.tokens.bias", state["proj_fusion.0.bias"]
    yield "fusion.features.weight", first[:, width:]
    for kind in ("weight", "bias"):
        yield f"fusion.middle.{kind}", state[f"proj_fusion.2.{kind}"]
        yield f"fusion.out.{kind}", state[f"proj_fusion.4.{kind}"]


def _block(state: Mapping[str, Tensor], theirs: str, ours: str) -> Iterator[tuple[str, Tensor]]:
    head_dim = len(state["blocks.0.attn.q_norm.weight"])
    for layer, renamed in _RENAMED.items():
        for kind in ("weight", "bias"):
            tensor = state[f"{theirs}.{layer}.{kind}"]
            yield f"{ours}.{renamed}.{kind}", _reorder(layer, tensor, head_dim)


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
