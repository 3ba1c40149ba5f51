"""Self-attention over the tokens of one image, with normalised queries and keys."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppvd.nn.positions import Rotary

HEAD_NORM_EPS = 1e-5
"""Added to the variance of queries and keys; released code (tokens have 1e-6)."""

MAX_BATCH = 65535
"""Sequences that a fused kernel takes at once; temporal blocks have one for each place."""

MAX_WHOLE_TOKENS = 1024
"""Longest sequence whose attention matrix a CPU holds whole."""


KeysAndValues = tuple[Tensor, Tensor]
"""What tokens show to others, normalised and turned, ``(B, R * M, num_heads, d)`` each."""

GATE_PACE = 16.0
"""Factor on the numbers that gates learn: they open at so many times the learning rate (ours)."""


class Attention(nn.Module):
    """Multi-head self-attention; queries and keys are layer-normalised within each head.

    Args:
        width: Channels ``D``, a multiple of ``num_heads``.
        num_heads: Heads.
        gated: Whether each head has a gate for what it is shown by others, closed at first.
    """

    def __init__(self, width: int, num_heads: int, *, gated: bool = False) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.query_norm = nn.LayerNorm(width // num_heads, eps=HEAD_NORM_EPS)
        self.key_norm = nn.LayerNorm(width // num_heads, eps=HEAD_NORM_EPS)
        self.out = nn.Linear(width, width)
        self.shared_gate = nn.Parameter(torch.empty(num_heads)) if gated else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw matrices Xavier-uniformly, zero biases, start the norms at identity, close gates."""
        for layer in (self.qkv, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.query_norm.reset_parameters()
        self.key_norm.reset_parameters()
        if self.shared_gate is not None:
            nn.init.zeros_(self.shared_gate)

    def forward(
        self, tokens: Tensor, rotary: Rotary | None, shared: KeysAndValues | None = None
    ) -> Tensor:
        """Mix tokens with each other and with what they all see.

        Args:
            tokens: ``(B, N, D)`` or, for the frames of clips, ``(B, T, N, D)``.
            rotary: Turns queries and keys by their place.
            shared: What every frame of a clip sees besides itself, see `keys_and_values`.
        """
        query, key, value = self._heads(self.qkv(tokens), 3)
        query, key = self.query_norm(query), self.key_norm(key)  # (B, [T,] N, num_heads, d)
        if rotary is not None:
            query, key = rotary.turn(query), rotary.turn(key)
        if shared is None:
            mixed = _attend(query, key, value)
        else:
            mixed = _attend(query, _beside(key, shared[0]), _beside(value, shared[1]))
            if self.shared_gate is not None:
                gate = GATE_PACE * self.shared_gate.to(mixed.dtype).unsqueeze(-1)
                mixed = torch.lerp(_attend(query, key, value), mixed, gate)
        out: Tensor = self.out(mixed.flatten(-2))
        return out

    def keys_and_values(self, tokens: Tensor, rotary: Rotary | None) -> KeysAndValues:
        """Return keys and values of tokens ``(B, R, M, D)`` that ask nothing themselves."""
        width = self.qkv.in_features
        rows = F.linear(tokens, self.qkv.weight[width:], self.qkv.bias[width:])
        key, value = self._heads(rows, 2)
        key = self.key_norm(key)
        if rotary is not None:
            key = rotary.turn(key)
        return key.flatten(1, 2), value.flatten(1, 2)

    def _heads(self, rows: Tensor, parts: int) -> tuple[Tensor, ...]:
        """Part rows ``(..., N, parts * D)`` and give each its heads, ``(..., N, num_heads, d)``."""
        return rows.view(*rows.shape[:-1], parts, self.num_heads, -1).unbind(-3)


def _beside(own: Tensor, shared: Tensor) -> Tensor:
    """Append what a clip shares ``(B, R * M, ...)`` to each frame's own ``(B, T, N, ...)``."""
    shared = shared.unsqueeze(1).expand(-1, own.shape[1], -1, -1, -1)
    return torch.cat([own, shared], 2)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Do as `attend`, of ``(..., N, num_heads, d)``."""
    parts = (part.transpose(-2, -3) for part in (query, key, value))
    return attend(*parts).transpose(-2, -3)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Scaled dot-product attention of ``(..., num_heads, N, d)``; keys may outnumber queries.

    On a CPU in bfloat16 short sequences hold their attention matrix whole: the fused kernel
    is two to three times slower there.
    """
    on_cpu = query.device.type == "cpu" and query.dtype is torch.bfloat16
    if on_cpu and key.shape[-2] <= MAX_WHOLE_TOKENS:
        logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        weights: Tensor = logits.softmax(-1)
        return weights @ value
    # Fused kernels want one batch axis.
    parts = [part.flatten(0, -4) for part in (query, key, value)]
    return _fused(*parts).view(query.shape)


def _fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    if len(query) <= MAX_BATCH:
        return F.scaled_dot_product_attention(query, key, value)
    turns = zip(*(torch.split(part, MAX_BATCH) for part in (query, key, value)), strict=True)
    return torch.cat([F.scaled_dot_product_attention(*turn) for turn in turns])
