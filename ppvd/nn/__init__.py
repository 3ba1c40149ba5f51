"""The network: one cascaded diffusion transformer for image depth, and its parts."""

from ppvd.nn.attention import Attention, attend
from ppvd.nn.block import Block, Mlp
from ppvd.nn.cascade import CascadeDiT
from ppvd.nn.condition import Condition, Stage
from ppvd.nn.fusion import SemanticPrompt
from ppvd.nn.grid import TokenGrid, patchify
from ppvd.nn.modulation import Branches, Modulation, Modulator
from ppvd.nn.positions import Rotary, rotary, sincos
from ppvd.nn.propagation import Propagation, References
from ppvd.nn.sharding import shard

__all__ = [
    "Attention",
    "Block",
    "Branches",
    "CascadeDiT",
    "Condition",
    "Mlp",
    "Modulation",
    "Modulator",
    "Propagation",
    "References",
    "Rotary",
    "SemanticPrompt",
    "Stage",
    "TokenGrid",
    "attend",
    "patchify",
    "rotary",
    "shard",
    "sincos",
]
