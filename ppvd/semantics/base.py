"""The contract between a foundation model and the network that listens to it."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class SemanticEncoder(nn.Module, ABC):
    """A foundation model that describes an image as a grid of features (Eq. 5).

    A new encoder is one subclass in one file. It owns its input normalisation and its resizing:
    callers pass sRGB in [0, 1] at the resolution of the depth map.

    Attributes:
        width: Channels ``D'`` of the features; 0 means that there are none to listen to.
    """

    width: int

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """Describe an image.

        Args:
            image: sRGB colour in [0, 1], ``(B, 3, H, W)``.

        Returns:
            Features ``(B, D', h, w)``, not yet L2-normalised: Eq. 6 is the fusion's job.
        """

    def reset_parameters(self) -> None:
        """Fill the weights anew, as the constructor does.

        ``Frozen`` calls this once an encoder built on the meta device has got memory. An encoder
        without weights of its own inherits this and has nothing to do.
        """
