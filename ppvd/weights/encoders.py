"""The published encoders by the names that the papers and the command line use."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ppvd.semantics import MAE, VGGT, DepthAnythingV2, DINOv2, MoGe2, Pi3, PublishedEncoder

ENCODERS: Mapping[str, type[PublishedEncoder[Any]]] = {
    "depth_anything_v2": DepthAnythingV2,
    "dinov2": DINOv2,
    "mae": MAE,
    "moge2": MoGe2,
    "pi3": Pi3,
    "vggt": VGGT,
}
"""Each encoder under its name."""


def encoder(
    name: str, state_dict: Mapping[str, Tensor], *, num_heads: int | None = None
) -> PublishedEncoder[Any]:
    """Build a published encoder, with its weights.

    Args:
        name: One of ``ENCODERS``.
        state_dict: Tensors under their published names, prefix and heads included.
        num_heads: Attention heads, which no tensor tells; ``None``: heads of 64 channels, as
            all published files have.

    Returns:
        The encoder, float32, on the CPU; it shares no memory with ``state_dict``.

    Raises:
        ValueError: If the encoder is unknown, or a tensor missing, unknown or of a wrong shape.
    """
    if name not in ENCODERS:
        raise ValueError(f"name must be one of {sorted(ENCODERS)}, got {name!r}")
    return ENCODERS[name].from_published(state_dict, num_heads=num_heads)
