"""Published checkpoints under our names, loaded strictly."""

from ppvd.weights.released import image_dit

__all__ = ["image_dit"]
