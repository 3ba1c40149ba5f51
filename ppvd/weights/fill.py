"""A network that is there already, filled from a file of others or ours."""

from collections.abc import Collection
from pathlib import Path

from ppvd.nn import CascadeDiT
from ppvd.semantics import fill_part
from ppvd.weights.card import Config, read_card
from ppvd.weights.files import holds_network, network, read_weights
from ppvd.weights.rebuild import network_config

_MEETING = {"propagation", "temporal_blocks"}  # of frames; an image network may start a video one


def fill_network(net: CascadeDiT, path: str | Path, *, may_lack: Collection[str] = ()) -> None:
    """Fill a network from a published file, an imported one, or a checkpoint of a run; strictly.

    Args:
        net: Network to fill.
        path: The file, see ``read_weights``; where in it the network lies is found.
        may_lack: Names of parts that the file may do without, see ``load_strictly``.

    Raises:
        ValueError: If the file cannot be read, or is of another network.
    """
    state, card, where = read_weights(path), read_card(Path(path)), str(path)
    if card:
        _require_same_network(net, card.config, where)
    elif holds_network(state):
        found = network(state, where=where)
        _require_same_network(net, network_config(found), where)
        state = found.state_dict()
    fill_part(net, state, where=where, may_lack=may_lack)


def _require_same_network(net: CascadeDiT, published: Config, where: str) -> None:
    """Raise where a number differs, also one that names and shapes do not tell."""
    read = {**network_config(net), "prediction": net.head.prediction}
    wanted = {**published, "prediction": "velocity"}
    for name in sorted(read.keys() - _MEETING):
        if read[name] != wanted[name]:
            raise ValueError(
                f"{name} of the network must be {wanted[name]} for {where}, got {read[name]}"
            )
