"""From a published file to a module and what rebuilds it, and from that to the module again."""

from collections.abc import Mapping
from dataclasses import asdict

import torch
from torch import Tensor, nn

from ppvd.nn import CascadeDiT, Propagation
from ppvd.semantics import fill_strictly
from ppvd.weights import released
from ppvd.weights.card import Config, ModelCard
from ppvd.weights.files import encoder_kind, network
from ppvd.weights.published import Published, published


def convert(
    model: Published, state: Mapping[str, Tensor], *, where: str, num_heads: int | None = None
) -> tuple[nn.Module, Config]:
    """Build the module of a published file, and say what rebuilds it.

    Args:
        model: What the file is said to be.
        state: Its tensors under their published names.
        where: What to call them in an error.
        num_heads: Attention heads of an encoder; ``None``: heads of 64 channels.

    Raises:
        ValueError: If the tensors are of something else, or do not fit.
    """
    if model.kind == "encoder":
        kind = encoder_kind(state, where=where)
        if kind != model.mapping:
            raise ValueError(f"{model.name} must be of {model.mapping}, but {where} holds {kind}")
        return released.encoder(kind, state, num_heads=num_heads), {"num_heads": num_heads}
    net = network(state, where=where)
    if network_kind(net) != model.kind:
        raise ValueError(
            f"{model.name} must be a network of {model.kind}, but {where} holds one of "
            f"{network_kind(net)}"
        )
    return net, network_config(net)


def rebuild(card: ModelCard, state: Mapping[str, Tensor], *, where: str) -> nn.Module:
    """Build the module of a card and fill it, strictly.

    No class is taken from the card: only those of published models are built.

    Raises:
        ValueError: If the tensors do not fit the card.
    """
    if card.kind == "encoder":
        mapping = published(card.name).mapping
        return released.encoder(mapping, state, num_heads=card.config["num_heads"])
    arguments = dict(card.config)
    if propagation := arguments["propagation"]:
        references = tuple(propagation["references"])
        arguments["propagation"] = Propagation(**{**propagation, "references": references})
    with torch.device("meta"):
        net = CascadeDiT(**arguments)
    net = net.to_empty(device="cpu")
    fill_strictly(net, state, where=where)
    return net


def network_kind(net: CascadeDiT) -> str:
    """Return ``video`` for a network in which frames meet, else ``image``."""
    return "image" if net.propagation is None else "video"


def network_config(net: CascadeDiT) -> Config:
    """Return the arguments that build a published network, as JSON holds them."""
    propagation = net.propagation and asdict(net.propagation)
    if propagation:
        propagation["references"] = list(propagation["references"])
    return {
        "semantic_width": net.semantic_width,
        "width": net.width,
        "depth": len(net.blocks),
        "num_heads": net.width // net.head_dim,
        "patch": net.patch,
        "coarse_factor": net.divisor // net.patch,
        "split": net.split,
        "positions": net.positions,
        "propagation": propagation,
        "temporal_blocks": sum(block.temporal is not None for block in net.blocks),
    }
