"""The sky, and the haze that far things share with it."""

import numpy as np

from ppvd.data.sources.synthetic.noise import Floats, noise
from ppvd.data.sources.synthetic.portable import Array
from ppvd.data.sources.synthetic.scene import Sky
from ppvd.data.sources.synthetic.view import Pinhole


def sky_colours(sky: Sky, pinhole: Pinhole, x: Array, y: Array) -> list[Floats]:
    """Return the linear RGB of the sky along rays ``(x, y, 1)``, three arrays ``(n,)``."""
    third = pinhole.matrix.astype(np.float32)
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    ray = [line[0] * x32 + line[1] * y32 + line[2] for line in third]
    length = np.sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2])
    up = np.clip(ray[2] / length, 0.0, 1.0)
    rise = np.minimum(up * np.float32(2.2), np.float32(1.0))
    rise *= np.float32(2.0) - rise
    plain = [a + (b - a) * rise for a, b in zip(sky.horizon, sky.zenith, strict=True)]
    span = np.float32(1.0) / ((up + np.float32(0.12)) * length)
    size = np.float32(0.045)
    puff = noise(
        ray[0] * span * size + np.float32(sky.seed),
        ray[1] * span * size,
        np.float32(0.002) * span,
    )
    cover = np.clip((puff + np.float32(1.6 * sky.clouds - 0.75)) * np.float32(2.5), 0.0, 1.0)
    cover *= np.float32(0.9)
    white = np.float32(0.98) - np.float32(0.16) * cover
    return [_linear(part + (white - part) * cover) for part in plain]


def hazed(colour: list[Floats], depth: Floats, sky: Sky) -> list[Floats]:
    """Blend linear ``colour`` at ``depth`` metres into the colour of the horizon."""
    relative = depth / np.float32(sky.haze_m)
    share = relative / (relative + np.float32(1.0))
    share *= share * np.float32(2.0)
    share = np.minimum(share, np.float32(0.95))
    return [a + (np.float32(b * b) - a) * share for a, b in zip(colour, sky.horizon, strict=True)]


def _linear(part: Floats) -> Floats:
    return part * part
