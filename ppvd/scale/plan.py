"""What a training step will cost in memory and arithmetic, found out without doing it."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from ppvd.callbacks.model_flops import Flops
from ppvd.nn import Block
from ppvd.nn.positions import forget_tables
from ppvd.scale.live_bytes import LiveBytes
from ppvd.semantics import Frozen
from ppvd.tasks import DepthTask

_SHARE = "-c experiments/hardware/fsdp2_8.yaml, which shares them among devices"
REMEDIES = {
    "weights": _SHARE,
    "gradients": _SHARE,
    "optimiser": _SHARE,
    "average": _SHARE,
    "encoder": "a smaller one in model.init_args.encoder",
    "gathered": "fewer channels in model.init_args.net.init_args.width",
    "activations": (
        "more blocks in model.init_args.net.init_args.checkpoint_blocks, or a smaller "
        "data.init_args.batch_size (and trainer.accumulate_grad_batches to make up for it)"
    ),
}
"""What makes each part smaller."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Cost of a training step on one device.

    Attributes:
        num_trained: Trained weights, of all devices together.
        num_frozen: Weights of the frozen encoder.
        flops: Floating-point operations of a step, a product and a sum being two.
        parts: Bytes by what they are for; their sum is the peak.
    """

    num_trained: int
    num_frozen: int
    flops: int
    parts: dict[str, int]

    @property
    def peak(self) -> int:
        """Bytes held at most."""
        return sum(self.parts.values())

    @property
    def largest(self) -> str:
        """Name of the largest part."""
        return max(self.parts, key=lambda name: self.parts[name])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a step is taken.

    Attributes:
        batch_size: Samples on this device.
        size: Height and width in pixels.
        num_frames: Frames of a clip; ``None`` for images.
        mixed: Whether products are in bfloat16 and weights in float32; else all is float32.
        num_shares: Devices that share weights, gradients, optimiser and average; 1: none do.
        has_average: Whether ``EMA`` keeps one.
    """

    batch_size: int
    size: tuple[int, int]
    num_frames: int | None = None
    mixed: bool = False
    num_shares: int = 1
    has_average: bool = False


def plan_step(task: DepthTask, setting: Setting) -> Plan:
    """Take a training step with tensors that have a shape and no content, and count.

    Args:
        task: A task built on the meta device. It is of no use afterwards.
        setting: How the step is taken.
    """
    encoders = [part.encoder for part in task.modules() if isinstance(part, Frozen)]
    forget_tables()
    with FakeTensorMode():
        for module in (task, *encoders):
            _give_shape(module)
        known = [*_tensors(task), *chain(*map(_tensors, encoders))]
        batch = _batch(setting)
        memory = LiveBytes([*known, *(v for v in batch.values() if isinstance(v, Tensor))])
        with memory, Flops() as flops:
            _step(task, batch, mixed=setting.mixed)
    forget_tables()
    weights = sum(_size(parameter) for parameter in task.parameters())
    share = weights // setting.num_shares
    parts = {
        "weights": share,
        "gradients": share,
        "optimiser": round(share * _state_per_weight(task)),
        "average": share if setting.has_average else 0,
        "encoder": sum(map(_size, chain(*map(_tensors, encoders)))),
        "gathered": _gathered(task) if setting.num_shares > 1 else 0,
        "activations": max(memory.peak - weights, 0),
    }
    return Plan(
        num_trained=sum(parameter.numel() for parameter in task.parameters()),
        num_frozen=sum(p.numel() for encoder in encoders for p in encoder.parameters()),
        flops=flops.total,
        parts=parts,
    )


def _step(task: DepthTask, batch: dict[str, object], *, mixed: bool) -> None:
    def silent(*_: object, **__: object) -> None:
        """Log nothing."""

    task.log = task.log_dict = silent  # type: ignore[method-assign]
    task.guard.is_on = False
    with torch.autocast("cpu", torch.bfloat16) if mixed else nullcontext():
        loss = task.training_step(batch, 0)
    assert isinstance(loss, Tensor)
    loss.backward()  # type: ignore[no-untyped-call]


def _batch(setting: Setting) -> dict[str, object]:
    frames = () if setting.num_frames is None else (setting.num_frames,)

    def empty(channels: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(setting.batch_size, *frames, channels, *setting.size, dtype=dtype)

    return {
        "image": empty(3),
        "depth": empty(1),
        "valid": empty(1, torch.bool),
        "sky": empty(1, torch.bool),
        "intrinsics": torch.empty(setting.batch_size, *frames, 3, 3),
        "pose": torch.empty(setting.batch_size, *frames, 4, 4),
        "key": [""] * setting.batch_size,
        "source": [""] * setting.batch_size,
    }


def _give_shape(module: nn.Module) -> None:
    """Replace tensors of the meta device by ones that pretend to lie on a device."""
    for part in module.modules():
        for name, held in part._parameters.items():
            if held is not None:
                shaped = torch.empty(held.shape, dtype=held.dtype)
                part._parameters[name] = nn.Parameter(shaped, requires_grad=held.requires_grad)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype)


def _state_per_weight(task: DepthTask) -> float:
    """Return bytes that the optimiser keeps for each byte of weights, by asking it once."""
    probe = nn.Parameter(torch.zeros(1024))
    probe.grad = torch.zeros(1024)
    optimizer = task.build_optimizer([probe])
    optimizer.step()
    kept = [value for value in optimizer.state[probe].values() if isinstance(value, Tensor)]
    return sum(map(_size, kept)) / _size(probe)


def _gathered(task: nn.Module) -> int:
    """Bytes of weights and gradients that are whole at a time: outside blocks, and two blocks."""
    blocks = [sum(map(_size, b.parameters())) for b in task.modules() if isinstance(b, Block)]
    outside = sum(map(_size, task.parameters())) - sum(blocks)
    return 2 * (outside + 2 * max(blocks, default=0))


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    return chain(module.parameters(), module.buffers())


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
