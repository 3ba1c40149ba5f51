"""Weights from a file into a module, strictly, wherever in the file the module's part lies."""

import pickle
import re
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ppvd.semantics.place import located
from ppvd.semantics.strict import fill_strictly, some

_CODE = re.compile(r"GLOBAL (\S+)")


def load_strictly(module: nn.Module, path: str | Path, *, may_lack: Collection[str] = ()) -> None:
    """Fill a module from its part of a checkpoint; every name of that part must fit.

    Args:
        module: Module to fill.
        path: A ``.safetensors`` file, or a ``torch.save`` file (a state dict, or a Lightning or
            similar checkpoint that holds one under ``state_dict`` or ``model``). The module may
            be a part of what was saved (``network.encoder.backbone.``): the prefix is found.
        may_lack: Names of parts, wherever in the module, that the checkpoint may do without: all
            of a name, and they keep what they have, or none.

    Raises:
        ValueError: If the file cannot be read, or if names or shapes differ.
    """
    fill_part(module, read_state_dict(path), where=str(path), may_lack=may_lack)


def fill_part(
    module: nn.Module, state: Mapping[str, Tensor], *, where: str, may_lack: Collection[str] = ()
) -> None:
    """Fill a module from its part of the tensors of something larger.

    Args:
        module: Module to fill.
        state: Tensors by name.
        where: What to call them in an error.
        may_lack: See ``load_strictly``.

    Raises:
        ValueError: If names or shapes differ.
    """
    prefix = find_prefix(state, module.state_dict().keys(), where=where)
    part = {name.removeprefix(prefix): v for name, v in state.items() if name.startswith(prefix)}
    for lacking in may_lack:
        own = {name: v for name, v in module.state_dict().items() if lacking in name.split(".")}
        if not own.keys() & part.keys():
            part = own | part
    fill_strictly(module, part, where=f"the part '{prefix}' of {where}" if prefix else where)


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read named tensors onto the CPU without running any code from the file.

    Args:
        path: A ``.safetensors`` file or a ``torch.save`` file, see ``load_strictly``; it may
            begin with ``$PPVD_WEIGHTS``, see ``located``.

    Returns:
        Tensors by name.

    Raises:
        ValueError: If the file is missing, damaged, or holds anything but tensors by name.
    """
    path = located(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        mapped = zipfile.is_zipfile(path)  # all but files older than torch 1.6
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(_unreadable(path, error)) from error
    for level in ("state_dict", "model"):
        content = content.get(level, content) if isinstance(content, Mapping) else content
    if not isinstance(content, Mapping):
        raise ValueError(f"weights must hold tensors by name, got a {type(content)} in {path}")
    return {name: value for name, value in content.items() if isinstance(value, Tensor)}


def find_prefix(state: Mapping[str, Tensor], names: Collection[str], *, where: str) -> str:
    """Find what stands before a module's names in a checkpoint of something larger.

    Args:
        state: Tensors by name.
        names: Names that the module has by itself.
        where: Where ``state`` comes from, for the error.

    Returns:
        The prefix under which most of ``names`` are found; empty for a file of its own.

    Raises:
        ValueError: If no prefix fits any name, or if two fit equally well.
    """
    found: dict[str, int] = {}
    for name in names:
        for key in state:
            if key == name or key.endswith(f".{name}"):
                prefix = key.removesuffix(name)
                found[prefix] = found.get(prefix, 0) + 1
    best = [prefix for prefix, count in found.items() if count == max(found.values())]
    if len(best) != 1:
        held = f"it fits under {sorted(best)}" if best else f"got names {some(state)}"
        raise ValueError(f"weights in {where} must hold the module exactly once, {held}")
    return best[0]


def _unreadable(path: Path, error: Exception) -> str:
    """Say in one sentence what is wrong with a file, rather than how to switch safety off."""
    if code := _CODE.search(str(error)):
        return (
            f"weights must be plain tensors, got {path}, which holds code ({code[1]}); nothing of "
            f"it was run; save the state dict of what is in it instead"
        )
    with path.open("rb") as file:
        if file.read(64).lstrip().startswith(b"<"):
            return f"weights must be a readable checkpoint, got {path}: it is a web page"
    reason = "it is truncated or no checkpoint"
    if isinstance(error, SafetensorError):
        reason += f" ({error})"
    return f"weights must be a readable checkpoint, got {path}: {reason}; fetch it again"
