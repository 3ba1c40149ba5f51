"""Imported files: published weights under our names, with a card, checked as a whole."""

from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from ppvd.semantics import read_state_dict
from ppvd.weights.card import ModelCard, digest, read_card
from ppvd.weights.download import sha256
from ppvd.weights.files import read_weights
from ppvd.weights.published import published
from ppvd.weights.rebuild import convert, rebuild
from ppvd.whole import appearing_whole


def import_weights(
    source: Path,
    *,
    name: str,
    out: Path,
    num_heads: int | None = None,
    begin: Callable[[str], object] = str,
) -> ModelCard:
    """Convert a published file once; the new one appears whole or not at all.

    Args:
        source: Published file.
        name: What it is, see ``PUBLISHED``.
        out: The safetensors file to write.
        num_heads: Attention heads of an encoder; ``None``: heads of 64 channels, as published.
        begin: Told the name of each step as it begins: read, convert, check, write.

    Returns:
        The card of the new file.

    Raises:
        ValueError: If the file cannot be read or does not fit what it is said to be.
    """
    model = published(name)
    if out.suffix != ".safetensors":
        raise ValueError(f"out must end in .safetensors, got {out}")
    if read_card(source):
        raise ValueError(f"{source} must be a published file, but it was imported already")
    begin("read")
    state = read_weights(source)
    begin("convert")
    module, config = convert(model, state, where=str(source), num_heads=num_heads)
    tensors = module.state_dict()
    begin("check")
    card = ModelCard(
        name=name,
        kind=model.kind,
        licence=model.licence,
        page=model.page,
        source=source.name,
        sha256=sha256(source),
        config=config,
        tensors_sha256=digest(tensors),
        encoder=model.encoder,
        version=metadata.version("ppvd"),
    )
    begin("write")
    with appearing_whole(out) as passing:
        save_file(tensors, passing, metadata=card.metadata())
    return card


def load_imported(path: Path, card: ModelCard) -> nn.Module:
    """Rebuild the module of an imported file, with its weights, on the CPU.

    Raises:
        ValueError: If the file is damaged, or does not fit its card.
    """
    return rebuild(card, read_state_dict(path), where=str(path))


def verify_weights(path: Path) -> ModelCard:
    """Read an imported file whole, compare it with its card, and rebuild its module.

    Raises:
        ValueError: If it was not imported, or anything differs, or a weight is no number.
    """
    card = read_card(path)
    if card is None:
        raise ValueError(f"{path} must be an imported file; import it: ppvd weights import")
    state = read_state_dict(path)
    if digest(state) != card.tensors_sha256:
        raise ValueError(f"{path} must hold the tensors that were imported, but they differ")
    wrong = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if wrong:
        raise ValueError(f"{path} must hold numbers, got NaN or infinity in {', '.join(wrong)}")
    rebuild(card, state, where=str(path))
    return card
