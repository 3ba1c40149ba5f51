"""The sky, and the haze that far things share with it."""

import numpy as np

from ppvd.data.sources.synthetic.portable import Array
from ppvd.data.sources.synthetic.rendering.noise import Floats, noise
from ppvd.data.sources.synthetic.rendering.view import Pinhole
from ppvd.data.sources.synthetic.scene import Sky


def sky_colours(sky: Sky, pinhole: Pinhole, x: Array, y: Array) -> list[Floats]:
    """Return the linear RGB of the sky along rays ``(x, y, 1)``, three arrays ``(n,)``."""
    third = pinhole.matrix.astype(np.float32)
    x32, y32 = x.astype(np.float32), y.astype(np.float32)
    ray = [line[0] * x32 + line[1] * y32 + line[2] for line in third]
    length = np.sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2])
    up = np.clip(ray[2] / length, 0.0, 1.0)
    rise = np.minimum(up * 2.2, 1.0)
    rise *= 2.0 - rise
    plain = [a + (b - a) * rise for a, b in zip(sky.horizon, sky.zenith, strict=True)]
    span = 1.0 / ((up + 0.12) * length)
    size = 0.045
    puff = noise(
        ray[0] * span * size + sky.seed,
        ray[1] * span * size,
        0.002 * span,
    )
    cover = np.clip((puff + (1.6 * sky.clouds - 0.75)) * 2.5, 0.0, 1.0)
    cover *= 0.9
    white = 0.98 - 0.16 * cover
    return [_linear(part + (white - part) * cover) for part in plain]


def hazed(colour: list[Floats], depth: Floats, sky: Sky) -> list[Floats]:
    """Blend linear ``colour`` at ``depth`` metres into the colour of the horizon."""
    relative = depth / sky.haze_m
    share = relative / (relative + 1.0)
    share *= share * 2.0
    share = np.minimum(share, 0.95)
    return [a + ((b * b) - a) * share for a, b in zip(colour, sky.horizon, strict=True)]


def _linear(part: Floats) -> Floats:
    return part * part
