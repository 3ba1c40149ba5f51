"""Embeddings of what goes in: patches of the noisy depth and the image, and the time."""

import math

import torch
from torch import Tensor, nn

from ppvd.nn.grid import patchify

TIME_SCALE = 1000.0
"""The released network reads time in thousandths."""

TIME_FEATURES = 256
"""Cosines and sines of the time; released code."""

LONGEST_PERIOD = 10000.0
"""Longest period over 2 pi of the time features, in thousandths; released code."""


class PatchEmbed(nn.Module):
    """One linear map of the patches of ``x_t ++ c`` (section III-C), kept in two halves.

    The image's half does not change from step to step, so it is computed once.

    Args:
        width: Channels ``D`` of a token.
        patch: Side of a patch in pixels.
        image_gain: Factor on the initial weights of the image's half.
    """

    def __init__(self, width: int, patch: int, *, image_gain: float = 1.0) -> None:
        super().__init__()
        self.patch = patch
        self.image_gain = image_gain
        self.noisy = nn.Linear(patch**2, width)
        self.image = nn.Linear(3 * patch**2, width, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw both halves as one Xavier-uniform matrix over all four channels, then the gain."""
        width, pixels = self.noisy.weight.shape
        joint_xavier_((self.noisy, self.image), fan_in=4 * pixels, fan_out=width)
        scale_(self.image, self.image_gain)

    def embed_noisy(self, noisy: Tensor) -> Tensor:
        """Embed the noisy depth ``(..., 1, H, W)``, ``(..., N, D)``."""
        return _project(self.noisy, patchify(noisy, self.patch))

    def embed_image(self, image: Tensor) -> Tensor:
        """Embed the image ``(..., 3, H, W)`` in [0, 1], centred on 0, ``(..., N, D)``."""
        return _project(self.image, patchify(image - 0.5, self.patch))


class TimeEmbedding(nn.Module):
    """Sinusoids of the time and a two-layer MLP; float32 whatever the surrounding precision.

    Args:
        width: Channels ``D`` of the embedding.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(TIME_FEATURES, width)
        self.out = nn.Linear(width, width)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights from a normal of deviation 0.02 (released code), zero the biases."""
        for layer in (self.hidden, self.out):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, time: Tensor) -> Tensor:
        """Embed times in [0, 1], ``(N,)``, as ``(N, D)``."""
        features = time_features(time).to(self.hidden.weight.dtype)
        embedding: Tensor = self.out(nn.functional.silu(self.hidden(features)))
        return embedding


def time_features(time: Tensor) -> Tensor:
    """Return cosines, then sines, of times in [0, 1], float32, ``(N, 256)``."""
    half = TIME_FEATURES // 2
    exponents = torch.arange(half, dtype=torch.float32, device=time.device) / half
    frequencies = torch.exp(-math.log(LONGEST_PERIOD) * exponents)
    angles = (TIME_SCALE * time.float())[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def joint_xavier_(layers: tuple[nn.Linear, ...], *, fan_in: int, fan_out: int) -> None:
    """Draw parts of one matrix Xavier-uniformly with the whole's fans; zero their biases."""
    bound = math.sqrt(6 / (fan_in + fan_out))
    for layer in layers:
        nn.init.uniform_(layer.weight, -bound, bound)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def scale_(layer: nn.Linear, gain: float) -> None:
    """Multiply the weights of a layer in place."""
    with torch.no_grad():
        layer.weight.mul_(gain)


def _project(layer: nn.Linear, patches: Tensor) -> Tensor:
    tokens: Tensor = layer(patches.to(layer.weight.dtype))
    return tokens
