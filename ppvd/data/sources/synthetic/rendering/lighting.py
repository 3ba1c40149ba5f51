"""Light on surfaces, in linear RGB."""

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.rendering.noise import Floats
from ppvd.data.sources.synthetic.rendering.surface import Surface
from ppvd.data.sources.synthetic.scene import Light


def exposed(light: Floats) -> Floats:
    """Lift what is dark by half and keep white where it is, as a camera's tone curve does."""
    half = 0.5
    return (1.0 + half) * light / (1.0 + half * light)


def key_light(surface: Surface, light: Light) -> Floats:
    """Lambert's cosine, and for a lamp its loss with distance."""
    if light.reach_m == 0.0:
        return surface.toward
    relative = surface.distance * (1.0 / light.reach_m)
    return surface.toward * (2.0 / (1.0 + relative * relative))


def dome_light(surface: Surface, bounce: float) -> Floats:
    """Ambient light: less from below, near the floor and in the corners of a room."""
    one, half = 1.0, 0.5
    dome = half * (1.0 + bounce) + half * (1.0 - bounce) * surface.up
    lifted = np.maximum(surface.height, 0.0)
    floor = 0.62 + 0.38 * lifted / (lifted + 0.12)
    dome *= np.where(surface.axis == 2, one, floor)
    corner = surface.corner / (surface.corner + 0.12)
    return dome * (0.55 + 0.45 * corner)


def blurred(shadow: NDArray[np.bool_], receives: NDArray[np.bool_], *, times: int) -> Floats:
    """Spread ``shadow`` over neighbours that receive it too."""
    part, whole = shadow.astype(np.float32), receives.astype(np.float32)
    for _ in range(times):
        part, whole = _spread(part), _spread(whole)
    return part / np.maximum(whole, 1e-6) * receives


def _spread(values: Floats) -> Floats:
    for _ in range(2):
        wide = values + values
        wide[1:] += values[:-1]
        wide[:-1] += values[1:]
        values = wide.T
    return values
