"""Self-attention over the tokens of one image, with normalised queries and keys."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppvd.nn.positions import Rotary

HEAD_NORM_EPS = 1e-5
"""Added to the variance of queries and keys; released code (tokens have 1e-6)."""

MAX_WHOLE_TOKENS = 1024
"""Longest sequence whose attention matrix a CPU holds whole."""


class Attention(nn.Module):
    """Multi-head self-attention; queries and keys are layer-normalised within each head.

    Args:
        width: Channels ``D``, a multiple of ``num_heads``.
        num_heads: Heads.
    """

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.query_norm = nn.LayerNorm(width // num_heads, eps=HEAD_NORM_EPS)
        self.key_norm = nn.LayerNorm(width // num_heads, eps=HEAD_NORM_EPS)
        self.out = nn.Linear(width, width)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw matrices Xavier-uniformly, zero biases, start the norms at identity."""
        for layer in (self.qkv, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.query_norm.reset_parameters()
        self.key_norm.reset_parameters()

    def forward(self, tokens: Tensor, rotary: Rotary | None) -> Tensor:
        """Mix tokens ``(B, N, D)``; ``rotary`` turns queries and keys by their place."""
        batch, length, width = tokens.shape
        heads = self.qkv(tokens).view(batch, length, 3, self.num_heads, width // self.num_heads)
        query, key, value = heads.unbind(2)  # (B, N, num_heads, d)
        query, key = self.query_norm(query), self.key_norm(key)
        if rotary is not None:
            query, key = rotary.turn(query), rotary.turn(key)
        mixed = attend(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Scaled dot-product attention, ``(B, num_heads, N, d)`` each.

    On a CPU in bfloat16 short sequences hold their attention matrix whole: the fused kernel
    is two to three times slower there.
    """
    on_cpu = query.device.type == "cpu" and query.dtype is torch.bfloat16
    if on_cpu and query.shape[2] <= MAX_WHOLE_TOKENS:
        logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        weights: Tensor = logits.softmax(-1)
        return weights @ value
    return F.scaled_dot_product_attention(query, key, value)
