"""From materials to the sRGB paint of visible points."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.rendering import coverings, outdoors
from ppvd.data.sources.synthetic.rendering.face import Colour, Face
from ppvd.data.sources.synthetic.rendering.noise import Floats, noise
from ppvd.data.sources.synthetic.rendering.surface import Surface
from ppvd.data.sources.synthetic.scene import Material, Pattern

_PATTERNS: dict[Pattern, Callable[[Face], Colour]] = {
    Pattern.TILES: coverings.tiles,
    Pattern.PLANKS: coverings.planks,
    Pattern.BRICKS: coverings.bricks,
    Pattern.STRIPES: coverings.stripes,
    Pattern.LEAVES: outdoors.leaves,
    Pattern.FACADE: outdoors.facade,
    Pattern.STREET: outdoors.street,
    Pattern.PICTURE: coverings.picture,
    Pattern.BOOKS: coverings.books,
    Pattern.RUG: coverings.rug,
}


class Paints:
    """The materials of a scene as columns, gathered by row."""

    def __init__(self, materials: Sequence[Material]) -> None:
        numbers = [
            (*m.colour, *m.second, m.size_u, m.size_v, m.seed, m.grain, m.grain_m, m.glow)
            for m in materials
        ]
        self._columns = np.array(numbers, np.float32).T.copy()
        self._pattern = np.array([m.pattern for m in materials], np.int64)

    def colours(self, row: NDArray[np.int64], surface: Surface) -> Colour:
        """Return the sRGB paint at every point of ``surface``, three arrays ``(n,)``."""
        columns = self._columns
        colour = [columns[k].take(row) for k in range(3)]
        pattern = self._pattern.take(row)
        for kind, paint in _PATTERNS.items():
            chosen = np.flatnonzero(pattern == kind)
            if chosen.size:
                face = Face.of(surface, chosen, columns, row[chosen])
                for part, value in zip(colour, paint(face), strict=True):
                    part[chosen] = value
        return self._with_grain(row, surface, colour)

    def glow(self, row: NDArray[np.int64]) -> Floats:
        """Return the light given off at every point."""
        glow: Floats = self._columns[11].take(row)
        return glow

    def _with_grain(self, row: NDArray[np.int64], surface: Surface, colour: Colour) -> Colour:
        columns = self._columns
        period = columns[10].take(row) * 8.0
        shift = columns[8].take(row)
        grain = noise(
            surface.u / period + shift, surface.v / period - shift, surface.footprint / period
        )
        shade = 1.0 + columns[9].take(row) * grain
        return [part * shade for part in colour]
