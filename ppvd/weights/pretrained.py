"""A network and the encoder that prompts it, from published or imported files."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ppvd.nn import CascadeDiT
from ppvd.semantics import SemanticEncoder
from ppvd.weights import released
from ppvd.weights.cache import locate
from ppvd.weights.card import read_card
from ppvd.weights.files import encoder_kind, network, read_weights
from ppvd.weights.imported import load_imported
from ppvd.weights.published import PUBLISHED, Published, published
from ppvd.weights.rebuild import network_kind

_NETWORKS = [name for name, model in PUBLISHED.items() if model.encoder]
_ENCODERS = [name for name, model in PUBLISHED.items() if not model.encoder]


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """What a task is built around.

    Attributes:
        net: Network that denoises depth.
        encoder: Encoder that prompts it.
        kind: ``image`` or ``video``.
        path: File of the network.
    """

    net: CascadeDiT
    encoder: SemanticEncoder
    kind: str
    path: Path


def read_pretrained(source: str | Path, *, encoder: str | Path | None = None) -> Pretrained:
    """Read a network and its encoder.

    Args:
        source: A published name such as ``ppd-moge2``, which is looked up in
            ``$PPVD_WEIGHTS`` and else downloaded; or a published or imported file.
        encoder: The encoder, in the same two ways; ``None``: the one that the network was
            trained with, by its name.

    Raises:
        ValueError: If a file cannot be read or does not fit, or no encoder is known.
        FileNotFoundError: If a published file is not there and only a browser gets it.
        ConnectionError: If it cannot be downloaded.
    """
    path, model = _find(source)
    if model is not None and model.encoder is None:
        raise ValueError(f"{source} is an encoder; name a network: {', '.join(_NETWORKS)}")
    chosen = encoder or (model.encoder if model else None)
    if chosen is None:
        raise ValueError(
            f"encoder must be given for {path}, which is no published file by its name: its file, "
            f"or one of {', '.join(_ENCODERS)}"
        )
    prompting = _read_encoder(chosen, network_of=model)
    net = _read_network(path)
    if net.semantic_width != prompting.width:
        raise ValueError(
            f"encoder must have {net.semantic_width} channels for {path}, got {prompting.width}"
        )
    return Pretrained(net=net, encoder=prompting, kind=network_kind(net), path=path)


def _find(source: str | Path) -> tuple[Path, Published | None]:
    """Return a file, and what it is if its name or its card tells."""
    if source in PUBLISHED:
        return locate(str(source)), PUBLISHED[str(source)]
    path = Path(source)
    if not path.is_file():
        near = get_close_matches(str(source), PUBLISHED, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"weights must be a file or one of {', '.join(PUBLISHED)}, got {source}{hint}"
        )
    card = read_card(path)
    named = [
        m for m in PUBLISHED.values() if (m.name == card.name if card else m.file == path.name)
    ]
    return path, named[0] if named else None


def _read_encoder(source: str | Path, *, network_of: Published | None) -> SemanticEncoder:
    path, _ = _find(source)
    card = read_card(path)
    if card:
        kind, module = published(card.name).mapping, load_imported(path, card)
    else:
        state = read_weights(path)
        kind = encoder_kind(state, where=str(path))
        module = released.encoder(kind, state)
    if not isinstance(module, SemanticEncoder):
        raise ValueError(f"encoder must be an encoder, but {path} holds a network")
    right = published(network_of.encoder).mapping if network_of and network_of.encoder else kind
    if kind != right:
        raise ValueError(f"encoder must be of {right} for this network, but {path} holds {kind}")
    return module


def _read_network(path: Path) -> CascadeDiT:
    card = read_card(path)
    if card is None:
        return network(read_weights(path), where=str(path))
    module = load_imported(path, card)
    assert isinstance(module, CascadeDiT), f"{card.name} is no network"
    return module
