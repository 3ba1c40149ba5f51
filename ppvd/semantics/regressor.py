"""A network that reads depth off an encoder's features: how a small ViT is pre-trained here."""

import torch.nn.functional as F
from torch import Tensor, nn

from ppvd.semantics.base import describe
from ppvd.semantics.clip_vit import ClipEncoder
from ppvd.semantics.vit_encoder import ViTEncoder


class ViTRegressor(nn.Module):
    """Predict the depth code of images or clips by one linear layer on each token.

    The head is as weak as can be, so that what it needs must be in the features: this is how the
    demo's encoder learns (ours; the paper takes foundation models as they are). Its blocky depth
    maps are a by-product. ``ViTEncoder(weights=...)`` reads the run's checkpoint, and so does
    ``ClipEncoder``.

    Args:
        encoder: Encoder to train; not frozen here. One of images sees a clip frame by frame; to
            one of clips an image is a clip of one frame.

    Attributes:
        divisor: What both sides of an image must be divisible by.
    """

    def __init__(self, encoder: ViTEncoder | ClipEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.divisor = encoder.cell
        self.head = nn.Linear(encoder.width, encoder.cell**2)

    def forward(self, image: Tensor) -> Tensor:
        """Predict depth.

        Args:
            image: sRGB colour in [0, 1], ``(B, [T,] 3, H, W)``.

        Returns:
            Code ``(B, [T,] 1, H, W)``.
        """
        features = describe(self.encoder, image)
        cells: Tensor = self.head(features.movedim(-3, -1)).movedim(-1, -3)  # (..., cell^2, h, w)
        return F.pixel_shuffle(cells, self.divisor)
