"""Evaluation noise that depends on a sample's name alone."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def keyed_noise(keys: Sequence[str], size: tuple[int, int], *, seed: int, draw: int = 0) -> Tensor:
    """Draw one standard normal map a key, on the CPU.

    A score then depends on neither batch size, order nor rank ("ours"; the released code
    draws from the process's global generator).

    Args:
        keys: Sample names, ``B`` of them.
        size: Height and width in pixels.
        seed: Seed shared by all samples of an evaluation.
        draw: Index of the draw, for several samples of one image.

    Returns:
        Noise ``x_1``, ``(B, 1, H, W)``.
    """
    return torch.stack([_map_of(f"{seed}/{draw}/{key}", size) for key in keys])


def _map_of(name: str, size: tuple[int, int]) -> Tensor:
    digest = hashlib.sha256(name.encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
    return torch.randn(1, *size, generator=generator)
