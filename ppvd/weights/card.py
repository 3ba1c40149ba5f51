"""The card of an imported file: what it is, whence it came, and how to rebuild its module."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from ppvd.weights.files import read_metadata

Config = dict[str, Any]  # what JSON holds

_KEY = "ppvd"  # of the card in the metadata of a safetensors file


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What an imported file says of itself.

    Attributes:
        name: Published name, see ``PUBLISHED``.
        kind: ``image`` or ``video`` for a network that denoises depth, else ``encoder``.
        licence: Of the weights.
        page: Where they are published.
        source: Name of the file that was imported.
        sha256: Of that file.
        config: Arguments that rebuild the module, as JSON holds them.
        tensors_sha256: Of the imported tensors, see ``digest``.
        encoder: Name of the encoder that prompts the network; ``None`` for an encoder.
        version: Of this tool.
    """

    name: str
    kind: Literal["image", "video", "encoder"]
    licence: str
    page: str
    source: str
    sha256: str
    config: Config
    tensors_sha256: str
    encoder: str | None
    version: str

    def metadata(self) -> dict[str, str]:
        """Return the metadata of a safetensors file that carries the card."""
        return {"format": "pt", _KEY: json.dumps(asdict(self), sort_keys=True)}


def read_card(path: Path) -> ModelCard | None:
    """Read the card of a file; ``None`` for a file that was not imported.

    Raises:
        ValueError: If the file is damaged, or its card is of another version of this tool.
    """
    text = read_metadata(path).get(_KEY)
    if text is None:
        return None
    try:
        return ModelCard(**json.loads(text))
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"the card of {path} must be one of this version; import the published file again"
        ) from error


def digest(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of tensors with their names and shapes, in hexadecimal digits."""
    running = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].contiguous()
        running.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        running.update(tensor.flatten().numpy().data)
    return running.hexdigest()
