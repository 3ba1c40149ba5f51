"""The numbers by which published encoders of one kind differ, and how a file tells them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from torch import Tensor

from ppvd.semantics.strict import some

HEAD_DIM = 64
"""Channels of a head in every published encoder; no tensor tells the number of heads."""


@dataclass(frozen=True, kw_only=True)
class ViTSize:
    """Numbers by which vision transformers of one family differ.

    Args:
        width: Channels ``D`` of a token.
        depth: Number of blocks.
        num_heads: Attention heads of a block.
        grid: Side, in patches, of the square table of positions.
        num_registers: Register tokens.
    """

    width: int
    depth: int
    num_heads: int
    grid: int
    num_registers: int = 0


def vit_size(state: Mapping[str, Tensor], *, prefix: str, num_heads: int | None) -> ViTSize:
    """Read the size of a vision transformer off its tensors.

    Args:
        state: Tensors by name.
        prefix: What stands before the transformer's own names.
        num_heads: Attention heads; ``None`` stands for heads of 64 channels.

    Returns:
        The size.

    Raises:
        ValueError: If a tensor that tells a number is missing or tells none.
    """
    width = side(state, f"{prefix}cls_token", 2)
    num_positions = side(state, f"{prefix}pos_embed", 1)
    registers = f"{prefix}register_tokens"
    return ViTSize(
        width=width,
        depth=count(state, f"{prefix}blocks."),
        num_heads=heads(width, num_heads),
        grid=isqrt(max(num_positions - 1, 0)),
        num_registers=side(state, registers, 1) if registers in state else 0,
    )


def side(state: Mapping[str, Tensor], name: str, axis: int) -> int:
    """Return the length of one axis of a tensor.

    Raises:
        ValueError: If the tensor is missing or has fewer axes.
    """
    if name not in state:
        raise ValueError(f"the weights must hold {name}, got {some(state)}")
    shape = tuple(state[name].shape)
    if axis >= len(shape):
        raise ValueError(f"{name} must have more than {axis} axes, got the shape {shape}")
    return shape[axis]


def count(state: Mapping[str, Tensor], prefix: str) -> int:
    """Return the number of layers that are numbered from 0 after ``prefix``.

    Raises:
        ValueError: If there is none.
    """
    number = re.compile(re.escape(prefix) + r"(\d+)\.")
    indices = [int(found[1]) for name in state if (found := number.match(name))]
    if not indices:
        raise ValueError(f"the weights must hold {prefix}0, got {some(state)}")
    return 1 + max(indices)


def heads(width: int, num_heads: int | None) -> int:
    """Return the number of heads, of 64 channels unless it is given.

    Raises:
        ValueError: If it is not given and 64 does not divide the width.
    """
    if num_heads is None and width % HEAD_DIM:
        raise ValueError(f"num_heads must be given where {HEAD_DIM} does not divide width {width}")
    return width // HEAD_DIM if num_heads is None else num_heads
