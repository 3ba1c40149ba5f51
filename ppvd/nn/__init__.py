"""The network: one cascaded diffusion transformer for image depth, and its parts."""

from ppvd.nn.attention import Attention, attend
from ppvd.nn.block import Block, Mlp
from ppvd.nn.cascade import CascadeDiT
from ppvd.nn.condition import Condition
from ppvd.nn.fusion import SemanticPrompt
from ppvd.nn.grid import TokenGrid, patchify
from ppvd.nn.modulation import Modulation, Modulator
from ppvd.nn.positions import Rotary, rotary, sincos

__all__ = [
    "Attention",
    "Block",
    "CascadeDiT",
    "Condition",
    "Mlp",
    "Modulation",
    "Modulator",
    "Rotary",
    "SemanticPrompt",
    "TokenGrid",
    "attend",
    "patchify",
    "rotary",
    "sincos",
]
