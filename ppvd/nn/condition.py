"""What a network derives from the image alone."""

from dataclasses import dataclass

from torch import Tensor

from ppvd.nn.grid import TokenGrid
from ppvd.nn.positions import Rotary


@dataclass(frozen=True)
class Condition:
    """All that a network derives from the image alone, once for all solver steps.

    Attributes:
        grid: Grid of the coarse tokens.
        tokens: The image's half of the patch embedding, positions added, ``(B, N, D)``.
        prompt: The features' half of the fusion, ``(B, N, hidden)``, None without features.
        coarse: Rotary positions of the coarse tokens, None with sine-cosine positions.
        fine: Rotary positions of the fine tokens, likewise.
    """

    grid: TokenGrid
    tokens: Tensor
    prompt: Tensor | None
    coarse: Rotary | None
    fine: Rotary | None
