"""A network that reads depth off an encoder's features: how a small ViT is pre-trained here."""

import torch.nn.functional as F
from torch import Tensor, nn

from ppvd.semantics.vit_encoder import ViTEncoder


class ViTRegressor(nn.Module):
    """Predict the depth code of an image by one linear layer on each token.

    The head is as weak as can be, so that what it needs must be in the features: this is how the
    demo's encoder learns (ours; the paper takes foundation models as they are). Its blocky depth
    maps are a by-product. ``ViTEncoder(weights=...)`` reads the run's checkpoint.

    Args:
        encoder: Encoder to train; not frozen here.

    Attributes:
        divisor: What both sides of an image must be divisible by.
    """

    def __init__(self, encoder: ViTEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.divisor = encoder.cell
        self.head = nn.Linear(encoder.width, encoder.cell**2)

    def forward(self, image: Tensor) -> Tensor:
        """Predict depth.

        Args:
            image: sRGB colour in [0, 1], ``(B, 3, H, W)``.

        Returns:
            Code ``(B, 1, H, W)``.
        """
        features: Tensor = self.encoder(image)
        cells: Tensor = self.head(features.movedim(1, -1)).movedim(-1, 1)  # (B, cell^2, h, w)
        return F.pixel_shuffle(cells, self.divisor)
