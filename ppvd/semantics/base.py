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
            takes ``(B, T, 3, H, W)`` and returns ``(B, T, D', h, w)``. `Frozen` bridges the
            two kinds: a task hands images or clips to either.
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
