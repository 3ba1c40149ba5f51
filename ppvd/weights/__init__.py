"""Published checkpoints under our names, loaded strictly."""

from ppvd.weights.released import encoder, image_dit, video_dit

__all__ = ["encoder", "image_dit", "video_dit"]
