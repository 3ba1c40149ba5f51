"""What a file of weights is, in a few lines."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ppvd.semantics import read_state_dict
from ppvd.weights.card import ModelCard, read_card
from ppvd.weights.files import encoder_kind, holds_network


def describe_weights(path: Path) -> str:
    """Tell what a file is, whence it came, and how large it is; nothing is built.

    Raises:
        ValueError: If the file cannot be read.
    """
    state, card = read_state_dict(path), read_card(path)
    rows = _card_rows(card) if card else {"holds": _guess(state, path)}
    rows |= {"tensors": _count(state)}
    return "\n".join([f"{path}:", *(f"  {name:<10}{value}" for name, value in rows.items())])


def _card_rows(card: ModelCard) -> dict[str, str]:
    what = "an encoder" if card.kind == "encoder" else f"a network of {card.kind}"
    rows = {
        "model": f"{card.name}, {what}",
        "licence": card.licence,
        "page": card.page,
        "source": f"{card.source}, SHA-256 {card.sha256}",
        "imported": f"by ppvd {card.version}",
        "config": ", ".join(f"{name}={value}" for name, value in card.config.items()),
    }
    return rows | ({"encoder": card.encoder} if card.encoder else {})


def _guess(state: Mapping[str, Tensor], path: Path) -> str:
    if holds_network(state):
        return "a published network, not imported"
    try:
        return f"{encoder_kind(state, where=str(path))}, a published encoder, not imported"
    except ValueError:
        return "no published model; a run's checkpoint, or of other code"


def _count(state: Mapping[str, Tensor]) -> str:
    num_weights = sum(tensor.numel() for tensor in state.values())
    kinds = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in state.values()})
    return f"{len(state)} with {num_weights:,} numbers, {', '.join(kinds)}"
