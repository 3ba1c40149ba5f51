"""Values of single images: their keys as tensors, and intervals of their mean by resampling."""

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

# Bytes that a key takes in a table; processes exchange tensors, not strings.
KEY_BYTES = 128


def encode_keys(keys: Sequence[str]) -> Tensor:
    """Return keys as UTF-8, ended by zeros, uint8, ``(N, 128)``.

    Of a key that is too long the first part is kept, and a checksum of the whole.
    """
    table = np.zeros((len(keys), KEY_BYTES), np.uint8)
    for row, key in zip(table, keys, strict=True):
        text = key.encode()
        if len(text) > KEY_BYTES:
            text = text[: KEY_BYTES - 9] + f"~{zlib.crc32(text):08x}".encode()
        row[: len(text)] = np.frombuffer(text, np.uint8)
    return torch.from_numpy(table)


def decode_keys(table: Tensor) -> list[str]:
    """Return the keys that ``encode_keys`` encoded."""
    rows = table.cpu().numpy()
    return [row.tobytes().rstrip(b"\0").decode(errors="replace") for row in rows]


def bootstrap_interval(
    values: Tensor, *, level: float = 0.95, num_resamples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the interval in which the mean of another draw of such images would lie.

    Images are drawn again with replacement, and the quantiles of the means of these draws taken
    (percentile bootstrap). For two models, pass their differences image by image.

    Args:
        values: One number an image, ``(N,)``; those that are nan are left out.
        level: Share of the draws' means within the interval.
        num_resamples: Number of draws.
        seed: Of the draws.

    Returns:
        Lower and upper end; nan without a value.

    Raises:
        ValueError: If ``level`` is outside (0, 1) or there is no draw.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie within (0, 1), got {level}")
    if num_resamples < 1:
        raise ValueError(f"num_resamples must be at least 1, got {num_resamples}")
    known = values.detach().double().cpu().numpy()
    known = known[~np.isnan(known)]
    if not len(known):
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed)
    means = [
        known[draws.integers(len(known), size=len(known))].mean() for _ in range(num_resamples)
    ]
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)
