"""Reference-guided token propagation: a few frames that every frame of a clip sees (III-D)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ppvd.nn.condition import Stage
from ppvd.nn.positions import Rotary


@dataclass(frozen=True)
class References:
    """Pooled tokens of the reference frames of clips, as they enter one block.

    Attributes:
        tokens: Of ``R`` frames, ``M`` tokens each, ``(B, R, M, D)``.
        rotary: Positions of the ``M`` tokens, None with sine-cosine positions.
    """

    tokens: Tensor
    rotary: Rotary | None


@dataclass(frozen=True)
class Propagation:
    """Which tokens the frames of a clip see besides their own, and in which blocks.

    Before a block, the running tokens of the reference frames are averaged in windows and
    stand beside the tokens of every frame, the reference frames included. There they are
    asked, and ask nothing: the block leaves them as they are. Attention stays within
    a frame, and scale and shift travel through the references.

    It has no weights, so a network trained on images sees references from the first step, with
    up to 16 % of its attention at the released sizes if they interest it as its own tokens do.
    With gates (ours), one a head and block, it starts as if there were none, and learns from there
    how far to open: at 0 a frame sees itself alone, at 1 all is as without gates.

    The released model does so in its last six blocks. The paper says "before each Transformer
    layer" of the SC-DiT, which are the blocks after the fusion (III-E): that is the default.

    Args:
        references: Their places in the clip (released: the first three; R = 3 in III-F). A clip
            too short for some of them does with the others.
        pool: Side of a window in tokens (III-D, Table V: 4).
        last_blocks: How many blocks, counted from the last; None is all after the fusion.
        gated: Whether there are gates, which start closed. Attention is then done twice.

    Raises:
        ValueError: If there are no references or impossible ones, or ``pool`` is not above 0.
    """

    references: tuple[int, ...] = (0, 1, 2)
    pool: int = 4
    last_blocks: int | None = None
    gated: bool = False

    def __post_init__(self) -> None:
        places = tuple(self.references)
        if not places or min(places) < 0 or len(set(places)) < len(places):
            raise ValueError(f"references must be different frames from 0 on, got {places}")
        if self.pool < 1:
            raise ValueError(f"pool must be above 0, got {self.pool}")

    def first_block(self, depth: int, split: int) -> int:
        """Return the first block with references, of ``depth`` with the fusion at ``split``."""
        if self.last_blocks is None:
            return split
        if not 0 < self.last_blocks <= depth:
            raise ValueError(f"last_blocks must be in 1..{depth}, got {self.last_blocks}")
        return depth - self.last_blocks

    def gather(self, tokens: Tensor, stage: Stage) -> References:
        """Pool the reference frames of clips with tokens ``(B, T, N, D)``."""
        num_frames = tokens.shape[1]
        # Slices, not an index: an index would travel to the device each time.
        frames = [tokens[:, place] for place in self.references if place < num_frames]
        pooled = stage.grid.pool(torch.stack(frames, 1), self.pool)
        return References(pooled, stage.reference_rotary)
