"""Patterns of leaves, house fronts and streets."""

import numpy as np

from ppvd.data.sources.synthetic.rendering.face import (
    Colour,
    Face,
    bars,
    blend,
    inside,
    shade,
    variety,
)
from ppvd.data.sources.synthetic.rendering.noise import Floats, noise, scatter

_PAVEMENT = (0.60, 0.58, 0.55)
_KERB = (0.72, 0.71, 0.69)
_MARK = (0.88, 0.88, 0.84)
_GLASS = (0.20, 0.25, 0.31)


def leaves(face: Face) -> Colour:
    """Paint two tones in blots about ``size_u`` across."""
    size = face.size_u * 8.0
    coarse = noise(face.u / size + face.seed, face.v / size, face.footprint / size)
    small = size * 0.3
    fine = noise(face.v / small - face.seed, face.u / small, face.footprint / small)
    mix = 0.5 + 1.1 * coarse + 0.9 * fine
    return blend(face.colour, face.second, np.clip(mix, 0.0, 1.0))


def facade(face: Face) -> Colour:
    """Paint a wall with a grid of framed windows, ``size_u`` apart, storeys ``size_v`` high."""
    column, storey = np.floor(face.u / face.size_u), np.floor((face.v + face.half_v) / face.size_v)
    middle = (column + 0.5) * face.size_u
    centre = (storey + 0.55) * face.size_v - face.half_v
    fits = (np.abs(middle) + 0.42 * face.size_u < face.half_u) & ~face.level
    fits &= centre + 0.42 * face.size_v < face.half_v
    gap_u = 0.28 * face.size_u - np.abs(face.u - middle)
    gap_v = 0.25 * face.size_v - np.abs(face.v - centre)
    edge = np.minimum(gap_u, gap_v)
    bar = np.minimum(np.abs(face.u - middle), np.abs(face.v - centre - 0.2)) - 0.035
    pane = inside(np.minimum(edge - 0.09, bar), face.footprint)
    shine = 0.75 + 0.9 * scatter(column, storey, face.seed)
    shine *= 0.8 + 0.5 * np.clip(gap_v / face.size_v, 0.0, 1.0)
    glass = [part * shine for part in _GLASS]
    wall = blend(face.colour, face.second, inside(edge, face.footprint) * fits)
    plinth = inside(0.4 - face.v - face.half_v, face.footprint) * ~face.level
    wall = shade(wall, 1.0 - 0.25 * plinth)
    return blend(wall, glass, pane * fits)


def street(face: Face) -> Colour:
    """Paint the ground by its distance ``u`` from the middle of a road that runs along ``v``.

    ``size_u`` is half the width of the road, ``size_v`` that of the pavement (0 for none),
    ``second`` the road and ``colour`` what lies beyond.
    """
    side, foot = np.abs(face.u), face.footprint
    marks = _markings(face, side)
    road = blend(face.second, _MARK, marks * 0.9)
    slabs = np.maximum(bars(face.u, 0.6, 0.02, foot), bars(face.v, 0.6, 0.02, foot))
    tone = variety(face, np.floor(face.u / 0.6), np.floor(face.v / 0.6), 0.14, face.size_u)
    walk: Colour = [part * tone * (1.0 - 0.3 * slabs) for part in _PAVEMENT]
    kerb = np.minimum(face.size_v, 0.22)
    walk = blend(walk, _KERB, inside(face.size_u + kerb - side, foot))
    turf = 0.35
    blades = noise(face.u * turf + face.seed, face.v * turf, foot * turf)
    field = shade(face.colour, 1.0 + 0.22 * blades)
    beyond = blend(field, walk, inside(face.size_u + face.size_v - side, foot))
    return blend(beyond, road, inside(face.size_u - side, foot))


def _markings(face: Face, side: Floats) -> Floats:
    foot = face.footprint
    dash = bars(face.v + face.seed * 6.0, 6.0, 2.6, foot) * inside(0.07 - side, foot)
    line = inside(0.06 - np.abs(side - face.size_u + 0.3), foot)
    start = 9.0 + face.seed * 30.0
    crossing = np.minimum(face.v - start, start + 3.2 - face.v)
    zebra = bars(face.u, 1.0, 0.5, foot) * (side < face.size_u - 0.4)
    here = inside(crossing, foot)
    marks: Floats = np.maximum(dash, line) * (1.0 - here) + zebra * here
    return marks
