"""The transformer block of DINOv2, with the published names of its weights."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-6  # released DINOv2 and MAE; torch's own default is 1e-5


class Attention(nn.Module):
    """Multi-head self-attention over all tokens, without normalised queries or rotations.

    Args:
        width: Channels ``D`` of a token.
        num_heads: Heads; must divide ``width``.

    Raises:
        ValueError: If ``num_heads`` does not divide ``width``.
    """

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width must be divisible by num_heads {num_heads}, got {width}")
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Let every token of ``(B, N, D)`` listen to all tokens of its image."""
        heads = self.qkv(tokens).unflatten(-1, (3, self.num_heads, -1))  # (B, N, 3, heads, d)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each (B, heads, N, d)
        mixed = F.scaled_dot_product_attention(query, key, value)
        merged: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return merged


class MLP(nn.Module):
    """Two linear layers around the exact (erf) GELU of DINOv2 and MAE.

    Args:
        width: Channels in and out.
        hidden: Channels between the two layers.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform each token of ``(B, N, D)`` on its own."""
        transformed: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return transformed


class LayerScale(nn.Module):
    """A learned gain for each channel of a residual branch (DINOv2).

    Args:
        width: Channels.
        initial: Gain before training.
    """

    def __init__(self, width: int, initial: float) -> None:
        super().__init__()
        self.initial = initial
        self.gamma = nn.Parameter(torch.empty(width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every gain to its initial value."""
        nn.init.constant_(self.gamma, self.initial)

    def forward(self, branch: Tensor) -> Tensor:
        """Scale the channels of ``(B, N, D)``."""
        return branch * self.gamma


class Block(nn.Module):
    """Attention and MLP, each behind a LayerNorm and added to the tokens.

    Args:
        width: Channels ``D`` of a token.
        num_heads: Attention heads.
        mlp_ratio: Hidden channels of the MLP in units of ``width``.
        layer_scale: Initial gain of the two branches; ``None`` leaves the gains out (MAE).
    """

    def __init__(
        self, width: int, num_heads: int, *, mlp_ratio: float, layer_scale: float | None
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.attn = Attention(width, num_heads)
        self.ls1 = _gain(width, layer_scale)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = MLP(width, round(mlp_ratio * width))
        self.ls2 = _gain(width, layer_scale)

    def forward(self, tokens: Tensor) -> Tensor:
        """Refine tokens ``(B, N, D)``."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        refined: Tensor = tokens + self.ls2(self.mlp(self.norm2(tokens)))
        return refined


def _gain(width: int, initial: float | None) -> nn.Module:
    return nn.Identity() if initial is None else LayerScale(width, initial)
