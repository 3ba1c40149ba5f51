"""The transformer block of DINOv2 and its kin, with the published names of its weights."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ppvd.nn import Rotary, attend

HEAD_NORM_EPS = 1e-5  # released pi3 and VGGT, for queries and keys
INIT_STD = 0.02  # released DINOv2 and MAE
NORM_EPS = 1e-6  # released DINOv2 and MAE; torch's own default is 1e-5


class Attention(nn.Module):
    """Multi-head self-attention over all tokens.

    Args:
        width: Channels ``D`` of a token.
        num_heads: Heads; must divide ``width``.
        norm_heads: Whether queries and keys are layer-normalised within each head (pi3, VGGT).

    Raises:
        ValueError: If ``num_heads`` does not divide ``width``.
    """

    def __init__(self, width: int, num_heads: int, *, norm_heads: bool = False) -> None:
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width must be divisible by num_heads {num_heads}, got {width}")
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm = _head_norm(width // num_heads) if norm_heads else nn.Identity()
        self.k_norm = _head_norm(width // num_heads) if norm_heads else nn.Identity()
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, rotary: Rotary | None = None) -> Tensor:
        """Let every token of ``(B, N, D)`` listen to all tokens; ``rotary`` tells their places.

        The released pi3 rotates in the precision of the values. Ours does in that of the
        queries, which autocast on a GPU keeps in float32 until attention itself: bfloat16 angles
        are off by up to 0.06 radian.
        """
        batch, length, _ = tokens.shape
        heads = self.qkv(tokens).view(batch, length, 3, self.num_heads, -1)
        query, key, value = heads.unbind(2)  # each (B, N, heads, d)
        query, key = self.q_norm(query), self.k_norm(key)
        if rotary is not None:
            query, key = rotary.turn(_across_head(query)), rotary.turn(_across_head(key))
        mixed = attend(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))
        merged: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return merged


def _head_norm(head_dim: int) -> nn.LayerNorm:
    return nn.LayerNorm(head_dim, eps=HEAD_NORM_EPS)


def _across_head(heads: Tensor) -> Tensor:
    """Reorder channels from the released (y1, y2, x1, x2) to the (y1, x1, y2, x2) of `Rotary`."""
    quarters = heads.view(*heads.shape[:-1], 2, 2, -1)
    return quarters.transpose(-3, -2).flatten(-3)


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
        norm_heads: Whether queries and keys are layer-normalised within each head.
        eps: Added to the variance of the tokens.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        *,
        mlp_ratio: float = 4.0,
        layer_scale: float | None = 1.0,
        norm_heads: bool = False,
        eps: float = NORM_EPS,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.attn = Attention(width, num_heads, norm_heads=norm_heads)
        self.ls1 = _gain(width, layer_scale)
        self.norm2 = nn.LayerNorm(width, eps=eps)
        self.mlp = MLP(width, round(mlp_ratio * width))
        self.ls2 = _gain(width, layer_scale)

    def forward(self, tokens: Tensor, rotary: Rotary | None = None) -> Tensor:
        """Refine tokens ``(B, N, D)``; ``rotary`` tells their places."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens), rotary))
        refined: Tensor = tokens + self.ls2(self.mlp(self.norm2(tokens)))
        return refined


def _gain(width: int, initial: float | None) -> nn.Module:
    return nn.Identity() if initial is None else LayerScale(width, initial)


def draw_weights(module: nn.Module) -> None:
    """Draw all layers anew: truncated normal of deviation 0.02, biases at zero (DINOv2, MAE)."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            nn.init.trunc_normal_(part.weight, std=INIT_STD)
            assert part.bias is not None
            nn.init.zeros_(part.bias)
        elif isinstance(part, nn.LayerNorm | LayerScale):
            part.reset_parameters()
