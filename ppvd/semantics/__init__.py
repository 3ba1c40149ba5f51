"""Frozen foundation models that tell the network what is in the image (Eq. 5)."""

from ppvd.semantics.base import SemanticEncoder
from ppvd.semantics.checkpoint import load_strictly, read_state_dict
from ppvd.semantics.frozen import Frozen
from ppvd.semantics.none import NoSemantics
from ppvd.semantics.regressor import ViTRegressor
from ppvd.semantics.vit import ViT
from ppvd.semantics.vit_encoder import ViTEncoder

__all__ = [
    "Frozen",
    "NoSemantics",
    "SemanticEncoder",
    "ViT",
    "ViTEncoder",
    "ViTRegressor",
    "load_strictly",
    "read_state_dict",
]
