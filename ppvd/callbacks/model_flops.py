"""How many operations a step takes, counted while it is taken, and how many a device can do."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from lightning.fabric.utilities.throughput import get_available_flops
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

FORWARD_AND_BACKWARD = 3
"""A backward pass takes two products for each one of the forward pass."""
H200_HALF = 989.4e12
"""Dense operations a second in bfloat16 of a chip that Lightning's table does not find by name."""


class Flops(TorchDispatchMode):
    """Counts the floating-point operations of products of matrices, convolutions and attention.

    A product and a sum are two. ``torch.utils.flop_counter`` says how many; its own counter holds
    tensors back, and does not know the attention of CPUs.

    Attributes:
        total: Operations so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Run an operation, and count it."""
        out = func(*args, **(kwargs or {}))
        self.total += self._factor() * _count(func, args, kwargs or {}, out)
        return out

    def _factor(self) -> int:
        return 1


class ModelFlops(Flops):  # type: ignore[no-untyped-call]
    """Counts what a training step needs, from its forward pass alone.

    What is differentiated counts three times, for its backward pass too; a frozen encoder counts
    once. What activation checkpointing computes again is left out, as the custom is for MFU.
    """

    def _factor(self) -> int:
        return FORWARD_AND_BACKWARD if torch.is_grad_enabled() else 1


def peak_flops(device: torch.device, dtype: torch.dtype) -> float | None:
    """Return the operations a second that a device's maker promises; ``None``: unknown.

    Args:
        device: Where training runs; CPUs are unknown.
        dtype: Of the products.
    """
    if device.type != "cuda":
        return None
    is_half = dtype in (torch.bfloat16, torch.float16)
    if is_half and "h200" in torch.cuda.get_device_name(device).lower():
        return H200_HALF
    return get_available_flops(device, dtype)


def product_dtype(precision: str | int) -> torch.dtype:
    """Return in which type a trainer of some precision multiplies matrices."""
    if "bf16" in str(precision):
        return torch.bfloat16
    return torch.float16 if "16" in str(precision) else torch.float32


def _count(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], out: object) -> int:  # noqa: ANN401
    packet = getattr(func, "overloadpacket", None)
    aten = torch.ops.aten
    if packet == aten._scaled_dot_product_flash_attention_for_cpu:
        forward = sdpa_flop_count(*(held.shape for held in args[:3]))  # type: ignore[no-untyped-call]
        return int(forward)
    if packet == aten._scaled_dot_product_flash_attention_for_cpu_backward:
        backward = sdpa_backward_flop_count(  # type: ignore[no-untyped-call]
            *(held.shape for held in args[:4])
        )
        return int(backward)
    count = flop_registry.get(packet)
    return 0 if count is None else int(count(*args, **kwargs, out_val=out))
