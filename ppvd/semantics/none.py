"""The absence of semantics, for the rows of Table III without a prompt."""

from torch import Tensor

from ppvd.semantics.base import SemanticEncoder


class NoSemantics(SemanticEncoder):
    """Say nothing about the image: the plain DiT of Table III.

    Attributes:
        width: 0; a task that sees it does not call the encoder at all.
    """

    width = 0

    def forward(self, image: Tensor) -> Tensor:
        """Return features without channels, ``(B, 0, 1, 1)``."""
        return image.new_zeros(image.shape[0], 0, 1, 1)
