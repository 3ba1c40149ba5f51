"""Points of one pattern, and the tools that paint them.

Detail finer than a pixel's footprint fades into its mean: far surfaces neither shimmer nor alias.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.rendering.noise import Floats, scatter
from ppvd.data.sources.synthetic.rendering.surface import Surface

Colour = list[Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """Points of one pattern: a part of `Surface` with its materials' columns, ``(n,)`` each."""

    u: Floats
    v: Floats
    half_u: Floats
    half_v: Floats
    footprint: Floats
    level: NDArray[np.bool_]
    colour: Colour
    second: Colour
    size_u: Floats
    size_v: Floats
    seed: Floats

    @classmethod
    def of(
        cls, surface: Surface, chosen: NDArray[np.int64], columns: Floats, row: NDArray[np.int64]
    ) -> "Face":
        """Gather the points ``chosen``, whose solids are ``row``."""
        values = [column.take(row) for column in columns[:9]]
        return cls(
            u=surface.u[chosen],
            v=surface.v[chosen],
            half_u=surface.half_u[chosen],
            half_v=surface.half_v[chosen],
            footprint=surface.footprint[chosen],
            level=surface.axis[chosen] == 2,
            colour=values[0:3],
            second=values[3:6],
            size_u=values[6],
            size_v=values[7],
            seed=values[8],
        )


def blend(
    first: Sequence[Floats | float], second: Sequence[Floats | float], share: Floats
) -> Colour:
    """Return colours from ``first`` to ``second``."""
    return [a + (b - a) * share for a, b in zip(first, second, strict=True)]


def shade(colour: Colour, factor: Floats) -> Colour:
    """Return ``colour`` times ``factor``."""
    return [part * factor for part in colour]


def fraction(value: Floats) -> Floats:
    """Return what ``value`` exceeds its whole part by."""
    return value - np.floor(value)


def inside(distance: Floats, footprint: Floats) -> Floats:
    """Return how much of a pixel lies where ``distance`` (metres to an edge) is positive."""
    return np.clip(distance / footprint + 0.5, 0.0, 1.0)


def bars(
    position: Floats, period: Floats | float, width: Floats | float, footprint: Floats
) -> Floats:
    """Return coverage by bars of ``width`` on the multiples of ``period``."""
    cell = np.abs(fraction(position / period + 0.5) - 0.5) * period
    sharp = inside(width * 0.5 - cell, footprint)
    fade = np.clip(footprint / period * 1.5 - 0.25, 0.0, 1.0)
    coverage: Floats = sharp + (width / period - sharp) * fade
    return coverage


def variety(face: Face, first: Floats, second: Floats, amount: float, size: Floats) -> Floats:
    """Return a factor about 1 that differs from cell to cell and fades where cells are tiny."""
    share = np.clip(1.2 - face.footprint / size, 0.0, 1.0)
    return 1.0 + amount * share * (scatter(first, second, face.seed) - 0.5)
