"""The contract between a foundation model and the network that listens to it."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn


class SemanticEncoder(nn.Module, ABC):
    """A foundation model that describes an image as a grid of features (Eq. 5).

    A new encoder is one subclass in one file. It owns its input normalisation and its resizing:
    callers pass sRGB in [0, 1] at the resolution of the depth map.

    Attributes:
        width: Channels ``D'`` of the features; 0 means that there are none to listen to.
        sees_clips: Whether it looks at all frames of a clip together (pi3, VGGT). `forward` then
            takes ``(B, T, 3, H, W)`` and returns ``(B, T, D', h, w)``. `describe` bridges the
            two kinds.
    """

    width: int
    sees_clips: ClassVar[bool] = False

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """Describe an image.

        Args:
            image: sRGB colour in [0, 1], ``(B, 3, H, W)``, or ``(B, T, 3, H, W)`` for an
                encoder that sees clips.

        Returns:
            Features ``(B, [T,] D', h, w)``, not yet L2-normalised: Eq. 6 is the fusion's job.
        """

    def reset_parameters(self) -> None:
        """Fill the weights anew, as the constructor does.

        ``Frozen`` calls this once an encoder built on the meta device has got memory. An encoder
        without weights of its own inherits this and has nothing to do.
        """


def describe(encoder: SemanticEncoder, image: Tensor) -> Tensor:
    """Describe images or clips by an encoder of either kind.

    One of images describes a clip frame by frame; to one of clips, an image is a clip of one frame.

    Args:
        encoder: Of images or of clips.
        image: sRGB colour in [0, 1], ``(B, [T,] 3, H, W)``.

    Returns:
        Features ``(B, [T,] D', h, w)``.
    """
    features: Tensor
    if encoder.sees_clips == (image.ndim == 5):
        features = encoder(image)
    elif encoder.sees_clips:
        features = encoder(image.unsqueeze(1)).squeeze(1)
    else:
        features = encoder(image.flatten(0, 1)).unflatten(0, image.shape[:2])
    return features
