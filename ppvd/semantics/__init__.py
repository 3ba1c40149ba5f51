"""Frozen foundation models that tell the network what is in the image (Eq. 5)."""

from ppvd.semantics.base import SemanticEncoder
from ppvd.semantics.checkpoint import fill_part, load_strictly, read_state_dict
from ppvd.semantics.clip_vit import ClipEncoder, ClipMixer
from ppvd.semantics.frozen import Frozen
from ppvd.semantics.hf import TransformersEncoder
from ppvd.semantics.image_input import ImageInput
from ppvd.semantics.moge2 import MoGe2, MoGe2Size
from ppvd.semantics.none import NoSemantics
from ppvd.semantics.pi3 import Pi3
from ppvd.semantics.published import PublishedEncoder
from ppvd.semantics.published_vit import MAE, DepthAnythingV2, DINOv2
from ppvd.semantics.regressor import ViTRegressor
from ppvd.semantics.size import ViTSize
from ppvd.semantics.strict import fill_strictly
from ppvd.semantics.vggt import VGGT
from ppvd.semantics.views import ViewMixer, ViewSize
from ppvd.semantics.vit import ViT
from ppvd.semantics.vit_encoder import ViTEncoder

__all__ = [
    "MAE",
    "VGGT",
    "ClipEncoder",
    "ClipMixer",
    "DINOv2",
    "DepthAnythingV2",
    "Frozen",
    "ImageInput",
    "MoGe2",
    "MoGe2Size",
    "NoSemantics",
    "Pi3",
    "PublishedEncoder",
    "SemanticEncoder",
    "TransformersEncoder",
    "ViT",
    "ViTEncoder",
    "ViTRegressor",
    "ViTSize",
    "ViewMixer",
    "ViewSize",
    "fill_part",
    "fill_strictly",
    "load_strictly",
    "read_state_dict",
]
