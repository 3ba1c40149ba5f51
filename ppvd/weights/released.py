"""The released checkpoints' names, mapped strictly to ours."""

from ppvd.weights.dit import image_dit, video_dit
from ppvd.weights.encoders import encoder

__all__ = ["encoder", "image_dit", "video_dit"]
