"""Feature alignment (REPA): tokens learn to resemble a foundation model's features."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppvd.losses.step import FlowStep


class FeatureAlignment(nn.Module):
    """One minus the cosine between projected tokens and the encoder's features.

    The row "DiT + REPA" of Table III. The projector, a three-layer SiLU MLP, is trained with
    the network and not used after; `configure` builds it once the widths are known.
    Features are brought to the grid of the tokens bilinearly where the grids differ.

    Args:
        tap: Block, counted from 0, after which tokens are taken; REPA's eighth by default.
        hidden: Channels inside the projector; REPA's 2048.

    Raises:
        ValueError: If ``tap`` is negative.
    """

    def __init__(self, tap: int = 7, *, hidden: int = 2048) -> None:
        super().__init__()
        if tap < 0:
            raise ValueError(f"tap must be the index of a block, got {tap}")
        self.tap = tap
        self.hidden = hidden
        self.projector: nn.Sequential | None = None

    def configure(self, width: int, semantic_width: int) -> None:
        """Build the projector.

        Args:
            width: Channels ``D`` of the network's tokens.
            semantic_width: Channels ``D'`` of the encoder's features.

        Raises:
            ValueError: If there is no encoder to align with.
        """
        if semantic_width < 1:
            raise ValueError(
                f"semantic_width must be at least 1 for FeatureAlignment, got {semantic_width}; "
                "give the task an encoder or drop the loss"
            )
        self.projector = nn.Sequential(
            nn.Linear(width, self.hidden),
            nn.SiLU(),
            nn.Linear(self.hidden, self.hidden),
            nn.SiLU(),
            nn.Linear(self.hidden, semantic_width),
        )

    def forward(self, step: FlowStep) -> Tensor:
        """Return the loss in [0, 2], a float32 scalar.

        Raises:
            ValueError: If the projector, the tokens or the features are not there.
        """
        if self.projector is None:
            raise ValueError("projector must be built before use: call configure")
        if step.tokens is None or step.features is None:
            raise ValueError("step must carry tokens and features for FeatureAlignment")
        tokens = step.tokens.flatten(0, -4)  # frames of clips are so many images
        # The projector is a network and keeps the ambient precision; the cosine does not.
        projected = self.projector(tokens.flatten(2).transpose(1, 2))  # (B, N, D')
        with torch.autocast(tokens.device.type, enabled=False):
            features = step.features.flatten(0, -4).float()
            if features.shape[-2:] != tokens.shape[-2:]:
                size = tokens.shape[-2:]
                features = F.interpolate(features, size, mode="bilinear", align_corners=False)
            target = features.flatten(2).transpose(1, 2)
            return 1 - F.cosine_similarity(projected.float(), target, dim=-1).mean()
