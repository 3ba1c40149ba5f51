"""What a weights file holds: a published network, a published encoder, or what was imported."""

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ppvd.nn import CascadeDiT
from ppvd.semantics import read_state_dict
from ppvd.semantics.place import located
from ppvd.semantics.strict import some
from ppvd.weights import released

log = logging.getLogger(__name__)

PREFIXES = ("pipeline.dit_video.", "dit_video.", "pipeline.dit.", "dit.", "")
"""What stands before the network's names: in files of inference, of training, and in neither."""
_SIGN = "x_embedder.proj.weight"
_VIDEO = ("pos_embed", "temporal_blocks.")
_ENCODER = ("sem_encoder.", "pipeline.sem_encoder.")  # beside the network; has its own file
_ENCODER_SIGNS = {
    "aggregator.camera_token": "vggt",
    "decoder.0.attn.q_norm.weight": "pi3",
    "encoder.backbone.cls_token": "moge2",
    "pretrained.cls_token": "depth_anything_v2",
    "blocks.0.ls1.gamma": "dinov2",
    "blocks.0.norm1.weight": "mae",
}
"""A name of each encoder's file, by which it is told from those after it."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read named tensors, see ``read_state_dict``, and say so where they are of half precision.

    Half precision is widened to float32 where the tensors are copied into a network.

    Raises:
        ValueError: If the file is missing, damaged, or holds anything but tensors by name.
    """
    state = read_state_dict(path)
    halves = {t.dtype for t in state.values() if t.dtype in (torch.float16, torch.bfloat16)}
    if halves:
        log.warning("%s holds %s, widened to float32", path, some(sorted(map(str, halves))))
    return state


def holds_network(state: Mapping[str, Tensor]) -> bool:
    """Tell whether published names of a network that denoises depth are among the names."""
    return any(f"{prefix}{_SIGN}" in state for prefix in PREFIXES)


def network(state: Mapping[str, Tensor], *, where: str) -> CascadeDiT:
    """Build the network of a published image or video model.

    Args:
        state: Tensors under their published names, prefix included.
        where: What to call them in an error.

    Raises:
        ValueError: If there is none, or it has a name missing, unknown or of a wrong shape.
    """
    part = _network_part(state, where)
    video = any(name.startswith(_VIDEO) for name in part)
    try:
        return released.video_dit(part) if video else released.image_dit(part)
    except ValueError as error:
        raise ValueError(f"weights in {where} do not fit: {error}") from error


def encoder_kind(state: Mapping[str, Tensor], *, where: str) -> str:
    """Return the name by which ``released.encoder`` knows the encoder that the tensors are of.

    Raises:
        ValueError: If they are of none.
    """
    for sign, kind in _ENCODER_SIGNS.items():
        if sign in state:
            return kind
    raise ValueError(
        f"weights in {where} must be of a published encoder "
        f"({', '.join(sorted(_ENCODER_SIGNS.values()))}), got names {some(state)}"
    )


def read_metadata(path: Path) -> dict[str, str]:
    """Return what a ``.safetensors`` file says of itself; nothing for any other file.

    Raises:
        ValueError: If the file is missing or damaged.
    """
    path = located(path)
    if path.suffix != ".safetensors":
        return {}
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"weights must be a readable checkpoint, got {path}: {error}; fetch it again"
        ) from error


def _network_part(state: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    found = [prefix for prefix in PREFIXES if f"{prefix}{_SIGN}" in state]
    if len(found) != 1:
        raise ValueError(
            f"weights in {where} must hold one published network, its names after one of "
            f"{', '.join(filter(None, PREFIXES))} or bare; got names {some(state)}"
        )
    prefix = found[0]
    unknown = [name for name in state if not name.startswith((prefix, *_ENCODER))]
    if unknown:
        raise ValueError(
            f"weights in {where} must hold the network under '{prefix}' alone, "
            f"got {some(unknown)} too"
        )
    named = {name: tensor for name, tensor in state.items() if not name.startswith(_ENCODER)}
    return {name.removeprefix(prefix): tensor for name, tensor in named.items()}
