"""The released networks as ours, filled strictly."""

from collections.abc import Mapping
from math import isqrt

import torch
from torch import Tensor

from ppvd.nn import CascadeDiT, Propagation, TokenGrid, sincos
from ppvd.weights.dit_names import POSITIONS, count, expected_names, our_names

RELEASED_PROPAGATION = Propagation(references=(0, 1, 2), pool=4, last_blocks=6)
"""What the frames of the released video model see of each other; no tensor tells."""

TABLE_TOLERANCE = 5e-3
"""How far a released table of positions may be off; bfloat16 rounds by less."""


def image_dit(state_dict: Mapping[str, Tensor]) -> CascadeDiT:
    """Build the network of a released image checkpoint, with its weights.

    Args:
        state_dict: Tensors under the released names of the DiT, without prefix.

    Returns:
        The network, float32, on the CPU; it shares no memory with ``state_dict``.

    Raises:
        ValueError: If a name is missing, unknown or of the wrong shape.
    """
    _require_names(state_dict, expected_names(_depth(state_dict), 0), kind="image")
    return _build(state_dict, kind="image")


def video_dit(state_dict: Mapping[str, Tensor]) -> CascadeDiT:
    """Build the network of a released video checkpoint, with its weights.

    The checkpoint's table of positions is compared with ours and not kept: ours is computed
    for the grid at hand, so the network is not bound to 512x512.

    Args:
        state_dict: Tensors under the released names of the video DiT, without prefix.

    Returns:
        The network, float32, on the CPU; it shares no memory with ``state_dict``.

    Raises:
        ValueError: If a name is missing, unknown or of the wrong shape, or if the table of
            positions is not the sine-cosine one.
    """
    # A video network without temporal blocks has never been released.
    num_temporal = max(1, count(state_dict, "temporal_blocks"))
    expected = expected_names(_depth(state_dict), num_temporal) | {POSITIONS}
    _require_names(state_dict, expected, kind="video")
    return _build(state_dict, kind="video")


def _build(state: Mapping[str, Tensor], *, kind: str) -> CascadeDiT:
    _require_axes(state)
    if kind == "video":
        _require_positions(state[POSITIONS], width=_width(state))
    with torch.device("meta"):
        network = CascadeDiT(
            state["proj_fusion.0.weight"].shape[1] - _width(state),
            width=_width(state),
            depth=_depth(state),
            num_heads=_width(state) // len(state["blocks.0.attn.q_norm.weight"]),
            patch=state["x_embedder.proj.weight"].shape[-1] // 2,
            positions="sincos" if kind == "video" else "rotary",
            propagation=RELEASED_PROPAGATION if kind == "video" else None,
            temporal_blocks=count(state, "temporal_blocks"),
        )
    network = network.to_empty(device="cpu")
    parameters = dict(network.named_parameters())
    try:
        # One by one, so that no second copy of the whole network is ever alive.
        for name, tensor in our_names(state):
            _fill(parameters.pop(name), name, tensor)
    except RuntimeError as error:
        raise ValueError(f"the checkpoint does not fit a released {kind} DiT: {error}") from error
    assert not parameters, f"nothing fills {list(parameters)}"
    return network


def _fill(parameter: Tensor, name: str, tensor: Tensor) -> None:
    if parameter.shape != tensor.shape:
        raise ValueError(
            f"{name} must have the shape {tuple(parameter.shape)} in this checkpoint, "
            f"got {tuple(tensor.shape)}"
        )
    parameter.data.copy_(tensor)


def _width(state: Mapping[str, Tensor]) -> int:
    return len(state["x_embedder.proj.bias"])


def _depth(state: Mapping[str, Tensor]) -> int:
    return max(1, count(state, "blocks"))


def _require_names(state: Mapping[str, Tensor], expected: set[str], *, kind: str) -> None:
    missing, unknown = sorted(expected - state.keys()), sorted(state.keys() - expected)
    if missing or unknown:
        raise ValueError(
            f"the checkpoint must hold exactly the tensors of a released {kind} DiT; "
            f"missing: {missing or 'none'}; unknown: {unknown or 'none'}"
        )


def _require_axes(state: Mapping[str, Tensor]) -> None:
    """Raise unless every tensor has as many axes as its layer, before sizes are read off them."""
    for name, tensor in state.items():
        expected = 1 if name.endswith("bias") or "_norm." in name else 2
        expected = {"x_embedder.proj.weight": 4, POSITIONS: 3}.get(name, expected)
        if tensor.ndim != expected or not tensor.numel():
            raise ValueError(
                f"{name} must have {expected} axes and a number at least, "
                f"got the shape {tuple(tensor.shape)}"
            )


def _require_positions(table: Tensor, *, width: int) -> None:
    side = isqrt(table.shape[1])
    if table.shape != (1, side**2, width):
        raise ValueError(
            f"{POSITIONS} must be of a square grid, (1, side * side, {width}), "
            f"got {tuple(table.shape)}"
        )
    ours = sincos(TokenGrid(side, side), width, torch.device("cpu"))
    off = (table[0].float() - ours).abs().max().item()
    if not off < TABLE_TOLERANCE:
        raise ValueError(
            f"{POSITIONS} must be the sine-cosine table that the network computes, "
            f"got one that is off by up to {off:.3g}"
        )
