"""From a checkpoint of a run, whole or sharded, to one file of weights."""

import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load

from ppvd.whole import appearing_whole

_PREFIXES = ("state_dict.", "model.")  # FSDP 2, FSDP 1


def export_weights(checkpoint: Path, out: Path) -> int:
    """Write the weights of a checkpoint as one safetensors file, whole or not at all.

    They are what an evaluation uses: of a run with ``EMA``, the average. The frozen encoder is in
    no checkpoint. The file serves as ``initial_weights``.

    Args:
        checkpoint: A file, or the folder that processes wrote together.
        out: File to write, ``*.safetensors``.

    Returns:
        Number of weights.

    Raises:
        ValueError: If ``out`` has another suffix, or the folder holds no weights.
    """
    if out.suffix != ".safetensors":
        raise ValueError(f"out must end in .safetensors, got {out}")
    weights = read_sharded(checkpoint) if checkpoint.is_dir() else _read_file(checkpoint)
    with appearing_whole(out) as passing:
        save_file(
            {n: t.contiguous() for n, t in weights.items()}, passing, metadata={"format": "pt"}
        )
    return sum(tensor.numel() for tensor in weights.values())


def read_sharded(folder: Path) -> dict[str, Tensor]:
    """Read the weights of a sharded checkpoint whole, in this one process.

    Args:
        folder: The checkpoint.

    Raises:
        ValueError: If it holds no weights.
    """
    held = FileSystemReader(folder).read_metadata().state_dict_metadata
    for prefix in _PREFIXES:
        weights = {
            name.removeprefix(prefix): torch.empty(item.size, dtype=item.properties.dtype)
            for name, item in held.items()
            if name.startswith(prefix) and isinstance(item, TensorStorageMetadata)
        }
        if weights:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "torch.distributed is disabled")
                load({prefix.removesuffix("."): weights}, checkpoint_id=folder, no_dist=True)
            return weights
    raise ValueError(f"{folder} must hold the weights of a run, got {sorted(held)[:3]}")


def _read_file(file: Path) -> dict[str, Tensor]:
    content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    weights: dict[str, Tensor] = content["state_dict"]
    return weights
