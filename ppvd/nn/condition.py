"""What a network derives from the image alone."""

from dataclasses import dataclass

from torch import Tensor

from ppvd.nn.grid import TokenGrid
from ppvd.nn.positions import Rotary


@dataclass(frozen=True)
class Stage:
    """Where the tokens of the coarse or of the fine blocks lie.

    Attributes:
        grid: Their grid.
        rotary: Their rotary positions, None with sine-cosine positions.
        reference_rotary: Positions of the pooled tokens of a reference frame, likewise.
    """

    grid: TokenGrid
    rotary: Rotary | None
    reference_rotary: Rotary | None = None


@dataclass(frozen=True)
class Condition:
    """All that a network derives from the image alone, once for all solver steps.

    Attributes:
        tokens: The image's half of the patch embedding, positions added, ``(B, [T,] N, D)``.
        prompt: The features' half of the fusion, ``(B, [T,] N, hidden)``, None without features.
        coarse: Where the tokens lie before the fusion.
        fine: Where they lie after it.
    """

    tokens: Tensor
    prompt: Tensor | None
    coarse: Stage
    fine: Stage

    @property
    def is_clip(self) -> bool:
        """Whether the tokens have a frame axis."""
        return self.tokens.ndim == 4
