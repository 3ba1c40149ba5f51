"""Paint: one function a `Pattern`, from positions on a face to sRGB.

Detail finer than a pixel's footprint fades into its mean, so that far surfaces neither shimmer nor alias.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppvd.data.sources.synthetic.noise import Floats, noise, scatter
from ppvd.data.sources.synthetic.scene import Material, Pattern
from ppvd.data.sources.synthetic.surface import Surface

Colour = list[Floats]

_PAVEMENT = (0.60, 0.58, 0.55)
_KERB = (0.72, 0.71, 0.69)
_MARK = (0.88, 0.88, 0.84)
_GLASS = (0.20, 0.25, 0.31)
_DARK = (0.12, 0.10, 0.09)


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
        return self._columns[11].take(row)

    def _with_grain(self, row: NDArray[np.int64], surface: Surface, colour: Colour) -> Colour:
        columns = self._columns
        period = columns[10].take(row) * np.float32(8.0)
        shift = columns[8].take(row)
        grain = noise(
            surface.u / period + shift, surface.v / period - shift, surface.footprint / period
        )
        shade = np.float32(1.0) + columns[9].take(row) * grain
        return [part * shade for part in colour]


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
        parts = surface.u, surface.v, surface.half_u, surface.half_v, surface.footprint
        values = [column.take(row) for column in columns[:9]]
        return cls(
            *(part[chosen] for part in parts),
            surface.axis[chosen] == 2,
            values[0:3],
            values[3:6],
            *values[6:9],
        )


def _blend(first: Sequence[Floats | float], second: Sequence[Floats | float], share: Floats) -> Colour:
    return [a + (b - a) * share for a, b in zip(first, second, strict=True)]


def _shade(colour: Colour, factor: Floats) -> Colour:
    return [part * factor for part in colour]


def _fraction(value: Floats) -> Floats:
    return value - np.floor(value)


def _inside(distance: Floats, footprint: Floats) -> Floats:
    """Return how much of a pixel lies where ``distance`` (metres to an edge) is positive."""
    return np.clip(distance / footprint + np.float32(0.5), np.float32(0.0), np.float32(1.0))


def _bars(position: Floats, period: Floats | float, width: Floats | float, footprint: Floats) -> Floats:
    """Return coverage by bars of ``width`` centred on the multiples of ``period``, pixel-filtered."""
    cell = np.abs(_fraction(position / period + np.float32(0.5)) - np.float32(0.5)) * period
    sharp = _inside(width * np.float32(0.5) - cell, footprint)
    fade = np.clip(footprint / period * np.float32(1.5) - np.float32(0.25), 0.0, 1.0)
    return sharp + (width / period - sharp) * fade


def _variety(face: Face, first: Floats, second: Floats, amount: float, size: Floats) -> Floats:
    """Return a factor about 1 that differs from cell to cell and fades where cells are tiny."""
    share = np.clip(np.float32(1.2) - face.footprint / size, 0.0, 1.0)
    return np.float32(1.0) + amount * share * (scatter(first, second, face.seed) - np.float32(0.5))


def _tiles(face: Face) -> Colour:
    grout = np.maximum(
        _bars(face.u, face.size_u, face.size_u * np.float32(0.04), face.footprint),
        _bars(face.v, face.size_v, face.size_v * np.float32(0.04), face.footprint),
    )
    column = np.floor(face.u / face.size_u)
    line = np.floor(face.v / face.size_v)
    tile = _shade(face.colour, _variety(face, column, line, 0.16, face.size_u))
    return _blend(tile, face.second, grout)


def _planks(face: Face) -> Colour:
    plank = np.floor(face.u / face.size_u)
    along = face.v + face.size_v * scatter(plank, plank * np.float32(0.0), face.seed)
    tone = scatter(plank, np.floor(along / face.size_v), face.seed)
    fade = np.clip(np.float32(1.3) - face.footprint / face.size_u, 0.0, 1.0)
    board = _blend(face.colour, face.second, np.float32(0.5) + fade * (tone - np.float32(0.5)))
    rings = noise(face.u * np.float32(1.5) + tone, along * np.float32(0.12), face.footprint)
    gap = np.maximum(
        _bars(face.u, face.size_u, 0.008, face.footprint),
        _bars(along, face.size_v, 0.008, face.footprint),
    )
    return _shade(board, (np.float32(1.0) + np.float32(0.14) * rings) * (1.0 - np.float32(0.6) * gap))


def _bricks(face: Face) -> Colour:
    line = np.floor(face.v / face.size_v)
    across = face.u + np.float32(0.5) * face.size_u * (line - np.float32(2.0) * np.floor(line * np.float32(0.5)))
    brick = _variety(face, np.floor(across / face.size_u), line, 0.45, face.size_u)
    mortar = np.maximum(
        _bars(across, face.size_u, 0.014, face.footprint),
        _bars(face.v, face.size_v, 0.014, face.footprint),
    )
    return _blend(_shade(face.colour, brick), face.second, mortar)


def _stripes(face: Face) -> Colour:
    band = _bars(face.u, face.size_u, face.size_u * np.float32(0.5), face.footprint)
    return _blend(face.colour, face.second, band)


def _leaves(face: Face) -> Colour:
    size = face.size_u * np.float32(8.0)
    coarse = noise(face.u / size + face.seed, face.v / size, face.footprint / size)
    small = size * np.float32(0.3)
    fine = noise(face.v / small - face.seed, face.u / small, face.footprint / small)
    mix = np.float32(0.5) + np.float32(1.1) * coarse + np.float32(0.9) * fine
    return _blend(face.colour, face.second, np.clip(mix, 0.0, 1.0))


def _facade(face: Face) -> Colour:
    """Paint a wall with a grid of framed windows, ``size_u`` apart, storeys ``size_v`` high."""
    column, storey = np.floor(face.u / face.size_u), np.floor((face.v + face.half_v) / face.size_v)
    middle = (column + np.float32(0.5)) * face.size_u
    centre = (storey + np.float32(0.55)) * face.size_v - face.half_v
    fits = (np.abs(middle) + np.float32(0.42) * face.size_u < face.half_u) & ~face.level
    fits &= centre + np.float32(0.42) * face.size_v < face.half_v
    gap_u = np.float32(0.28) * face.size_u - np.abs(face.u - middle)
    gap_v = np.float32(0.25) * face.size_v - np.abs(face.v - centre)
    edge = np.minimum(gap_u, gap_v)
    bar = np.minimum(np.abs(face.u - middle), np.abs(face.v - centre - np.float32(0.2))) - np.float32(0.035)
    pane = _inside(np.minimum(edge - np.float32(0.09), bar), face.footprint)
    shine = np.float32(0.75) + np.float32(0.9) * scatter(column, storey, face.seed)
    shine *= np.float32(0.8) + np.float32(0.5) * np.clip(gap_v / face.size_v, 0.0, 1.0)
    glass = [np.float32(part) * shine for part in _GLASS]
    wall = _blend(face.colour, face.second, _inside(edge, face.footprint) * fits)
    plinth = _inside(np.float32(0.4) - face.v - face.half_v, face.footprint) * ~face.level
    wall = _shade(wall, np.float32(1.0) - np.float32(0.25) * plinth)
    return _blend(wall, glass, pane * fits)


def _street(face: Face) -> Colour:
    """Paint the ground by its distance ``u`` from the middle of a road that runs along ``v``.

    ``size_u`` is half the width of the road, ``size_v`` that of the pavement (0 for none),
    ``second`` the road and ``colour`` what lies beyond.
    """
    side, foot = np.abs(face.u), face.footprint
    marks = _markings(face, side)
    road = _blend(face.second, _MARK, marks * np.float32(0.9))
    slabs = np.maximum(_bars(face.u, 0.6, 0.02, foot), _bars(face.v, 0.6, 0.02, foot))
    tone = _variety(face, np.floor(face.u / np.float32(0.6)), np.floor(face.v / np.float32(0.6)), 0.14, face.size_u)
    walk = [np.float32(part) * tone * (np.float32(1.0) - np.float32(0.3) * slabs) for part in _PAVEMENT]
    kerb = np.minimum(face.size_v, np.float32(0.22))
    walk = _blend(walk, _KERB, _inside(face.size_u + kerb - side, foot))
    turf = np.float32(0.35)
    blades = noise(face.u * turf + face.seed, face.v * turf, foot * turf)
    field = _shade(face.colour, np.float32(1.0) + np.float32(0.22) * blades)
    beyond = _blend(field, walk, _inside(face.size_u + face.size_v - side, foot))
    return _blend(beyond, road, _inside(face.size_u - side, foot))


def _markings(face: Face, side: Floats) -> Floats:
    foot = face.footprint
    dash = _bars(face.v + face.seed * np.float32(6.0), 6.0, 2.6, foot) * _inside(np.float32(0.07) - side, foot)
    line = _inside(np.float32(0.06) - np.abs(side - face.size_u + np.float32(0.3)), foot)
    start = np.float32(9.0) + face.seed * np.float32(30.0)
    crossing = np.minimum(face.v - start, start + np.float32(3.2) - face.v)
    zebra = _bars(face.u, 1.0, 0.5, foot) * (side < face.size_u - np.float32(0.4))
    here = _inside(crossing, foot)
    return np.maximum(dash, line) * (np.float32(1.0) - here) + zebra * here


def _picture(face: Face) -> Colour:
    """Paint a framed landscape: sky, a hill line, land, a sun; its colours depend on the seed."""
    across, up = face.u / face.half_u, face.v / face.half_v
    lows = [scatter(face.seed * np.float32(k + 3), face.seed, face.seed) for k in range(6)]
    above = _blend(lows[0:3], [1.0, 0.95, 0.85], np.float32(0.35) - np.float32(0.35) * up)
    below = _blend(lows[3:6], [0.1, 0.2, 0.1], np.float32(0.25) + np.float32(0.25) * up)
    line = np.float32(0.5) * noise(across * np.float32(0.12) + face.seed, face.seed, face.footprint * 0)
    land = _inside((line - up) * face.half_v, face.footprint)
    scene = _blend(above, below, land)
    border = np.minimum(face.half_u - np.abs(face.u), face.half_v - np.abs(face.v)) - np.float32(0.04)
    return _blend(face.second, scene, _inside(border, face.footprint) * ~face.level)


def _books(face: Face) -> Colour:
    """Paint shelves ``size_v`` apart with the backs of books about ``size_u`` wide."""
    board, foot = face.size_v * np.float32(0.09), face.footprint
    from_floor = face.v + face.half_v
    shelf = np.floor(from_floor / face.size_v)
    up = from_floor - shelf * face.size_v
    book = np.floor(face.u / face.size_u + scatter(shelf, shelf, face.seed))
    tint = [scatter(book, shelf, face.seed + np.float32(3.7 * k)) for k in range(3)]
    fade = np.clip(np.float32(1.4) - foot / face.size_u, 0.0, 1.0)
    spine = [np.float32(0.38) + fade * np.float32(0.62) * (part - np.float32(0.45)) for part in tint]
    tall = board + (face.size_v - board) * (np.float32(0.62) + np.float32(0.3) * tint[1])
    inner = face.half_u - np.float32(0.03) - np.abs(face.u)
    stands = _inside(np.minimum(tall - up, inner), foot) * (tint[2] * tint[0] < np.float32(0.55))
    filled = _blend(list(_DARK), spine, stands)
    hollow = _inside(np.minimum(up - board, inner), foot) * ~face.level
    return _blend(face.colour, filled, hollow)


def _rug(face: Face) -> Colour:
    edge = np.minimum(face.half_u - np.abs(face.u), face.half_v - np.abs(face.v))
    border = _bars(edge, 0.24, 0.08, face.footprint) * (edge < np.float32(0.4))
    weave = np.abs(_fraction((face.u + face.v) / face.size_u) - np.float32(0.5))
    cross = np.abs(_fraction((face.u - face.v) / face.size_u) - np.float32(0.5))
    inner = _inside((np.float32(0.12) - np.minimum(weave, cross)) * face.size_u, face.footprint)
    return _blend(face.colour, face.second, np.maximum(border, inner * (edge > np.float32(0.4))))


_PATTERNS: dict[Pattern, Callable[[Face], Colour]] = {
    Pattern.TILES: _tiles,
    Pattern.PLANKS: _planks,
    Pattern.BRICKS: _bricks,
    Pattern.STRIPES: _stripes,
    Pattern.LEAVES: _leaves,
    Pattern.FACADE: _facade,
    Pattern.STREET: _street,
    Pattern.PICTURE: _picture,
    Pattern.BOOKS: _books,
    Pattern.RUG: _rug,
}
