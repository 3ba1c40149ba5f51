"""Published checkpoints under our names, loaded strictly."""

from ppvd.semantics.place import weights_folder
from ppvd.weights.card import ModelCard, read_card
from ppvd.weights.describe import describe_weights
from ppvd.weights.fill import fill_network
from ppvd.weights.imported import import_weights, verify_weights
from ppvd.weights.pretrained import Pretrained, read_pretrained
from ppvd.weights.published import PUBLISHED, Published
from ppvd.weights.released import encoder, image_dit, video_dit

__all__ = [
    "PUBLISHED",
    "ModelCard",
    "Pretrained",
    "Published",
    "describe_weights",
    "encoder",
    "fill_network",
    "image_dit",
    "import_weights",
    "read_card",
    "read_pretrained",
    "verify_weights",
    "video_dit",
    "weights_folder",
]
