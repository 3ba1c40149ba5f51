"""Patterns of floors, walls and cloth."""

import numpy as np

from ppvd.data.sources.synthetic.rendering.face import (
    Colour,
    Face,
    bars,
    blend,
    fraction,
    inside,
    shade,
    variety,
)
from ppvd.data.sources.synthetic.rendering.noise import noise, scatter

_DARK = (0.12, 0.10, 0.09)


def tiles(face: Face) -> Colour:
    """Paint tiles of ``size_u`` by ``size_v`` with grout of the second colour."""
    grout = np.maximum(
        bars(face.u, face.size_u, face.size_u * 0.04, face.footprint),
        bars(face.v, face.size_v, face.size_v * 0.04, face.footprint),
    )
    column = np.floor(face.u / face.size_u)
    line = np.floor(face.v / face.size_v)
    tile = shade(face.colour, variety(face, column, line, 0.16, face.size_u))
    return blend(tile, face.second, grout)


def planks(face: Face) -> Colour:
    """Paint boards ``size_u`` wide and ``size_v`` long, between the two colours."""
    plank = np.floor(face.u / face.size_u)
    along = face.v + face.size_v * scatter(plank, plank * 0.0, face.seed)
    tone = scatter(plank, np.floor(along / face.size_v), face.seed)
    fade = np.clip(1.3 - face.footprint / face.size_u, 0.0, 1.0)
    board = blend(face.colour, face.second, 0.5 + fade * (tone - 0.5))
    rings = noise(face.u * 1.5 + tone, along * 0.12, face.footprint)
    gap = np.maximum(
        bars(face.u, face.size_u, 0.008, face.footprint),
        bars(along, face.size_v, 0.008, face.footprint),
    )
    return shade(board, (1.0 + 0.14 * rings) * (1.0 - 0.6 * gap))


def bricks(face: Face) -> Colour:
    """Paint bricks in running bond with mortar of the second colour."""
    line = np.floor(face.v / face.size_v)
    across = face.u + 0.5 * face.size_u * (line - 2.0 * np.floor(line * 0.5))
    brick = variety(face, np.floor(across / face.size_u), line, 0.45, face.size_u)
    mortar = np.maximum(
        bars(across, face.size_u, 0.014, face.footprint),
        bars(face.v, face.size_v, 0.014, face.footprint),
    )
    return blend(shade(face.colour, brick), face.second, mortar)


def stripes(face: Face) -> Colour:
    """Paint upright stripes, two in ``size_u``."""
    band = bars(face.u, face.size_u, face.size_u * 0.5, face.footprint)
    return blend(face.colour, face.second, band)


def rug(face: Face) -> Colour:
    """Paint a border and a lattice of threads of the second colour."""
    edge = np.minimum(face.half_u - np.abs(face.u), face.half_v - np.abs(face.v))
    border = bars(edge, 0.24, 0.08, face.footprint) * (edge < 0.4)
    weave = np.abs(fraction((face.u + face.v) / face.size_u) - 0.5)
    cross = np.abs(fraction((face.u - face.v) / face.size_u) - 0.5)
    inner = inside((0.12 - np.minimum(weave, cross)) * face.size_u, face.footprint)
    return blend(face.colour, face.second, np.maximum(border, inner * (edge > 0.4)))


def picture(face: Face) -> Colour:
    """Paint a framed landscape: sky, a line of hills, land; its colours depend on the seed."""
    across, up = face.u / face.half_u, face.v / face.half_v
    lows = [0.25 + 0.55 * scatter(face.seed * (k + 3.0), face.seed, face.seed) for k in range(6)]
    above = blend(lows[0:3], [1.0, 0.95, 0.85], 0.35 - 0.35 * up)
    below = blend(lows[3:6], [0.1, 0.2, 0.1], 0.25 + 0.25 * up)
    line = 0.5 * noise(across * 0.12 + face.seed, face.seed, face.footprint * 0)
    land = inside((line - up) * face.half_v, face.footprint)
    scene = blend(above, below, land)
    border = np.minimum(face.half_u - np.abs(face.u), face.half_v - np.abs(face.v)) - 0.04
    return blend(face.second, scene, inside(border, face.footprint) * ~face.level)


def books(face: Face) -> Colour:
    """Paint shelves ``size_v`` apart with the backs of books about ``size_u`` wide."""
    board, foot = face.size_v * 0.09, face.footprint
    from_floor = face.v + face.half_v
    shelf = np.floor(from_floor / face.size_v)
    up = from_floor - shelf * face.size_v
    book = np.floor(face.u / face.size_u + scatter(shelf, shelf, face.seed))
    tint = [scatter(book, shelf, face.seed + (3.7 * k)) for k in range(3)]
    fade = np.clip(1.4 - foot / face.size_u, 0.0, 1.0)
    spine = [0.38 + fade * 0.62 * (part - 0.45) for part in tint]
    tall = board + (face.size_v - board) * (0.62 + 0.3 * tint[1])
    inner = face.half_u - 0.03 - np.abs(face.u)
    stands = inside(np.minimum(tall - up, inner), foot) * (tint[2] * tint[0] < 0.55)
    filled = blend(list(_DARK), spine, stands)
    hollow = inside(np.minimum(up - board, inner), foot) * ~face.level
    return blend(face.colour, filled, hollow)
