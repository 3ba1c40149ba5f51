"""Trees, bushes and house plants, rooted at the origin."""

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector, cosine, sine
from ppvd.data.sources.synthetic.scene import Material, Pattern, Shape, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import ball, box, placed, rod


def foliage(dice: Dice, colour: Vector, *, blot_m: float) -> Material:
    """Return leaves: two tones of ``colour`` in blots."""
    dark = (colour[0] * 0.55, colour[1] * 0.58, colour[2] * 0.6)
    return Material(
        colour, dark, Pattern.LEAVES, size_u=blot_m, grain=0.15, grain_m=blot_m, seed=dice.unit()
    )


def bark(dice: Dice) -> Material:
    """Return the paint of a trunk."""
    return Material(dice.tint(dice.pick(palette.BARK)), grain=0.3, grain_m=0.2, seed=dice.unit())


def tree(dice: Dice) -> list[Solid]:
    """Return a broad-leaved tree, 4 to 9 m high: a trunk, boughs, a crown of clumps."""
    height, girth = dice.uniform(4.0, 9.0), dice.uniform(0.1, 0.2)
    wood = bark(dice)
    colour = dice.tint(dice.pick(palette.AUTUMN if dice.chance(0.15) else palette.LEAF))
    fork = height * dice.uniform(0.3, 0.42)
    crown = height * dice.uniform(0.24, 0.34)
    trunk = rod((0.0, 0.0, 0.0), (0.0, 0.0, height * 0.7), girth, wood, end_radius=girth * 0.5)
    solids = [
        trunk,
        ball(
            (0.0, 0.0, height - crown * 0.9),
            (crown, crown, crown * 0.9),
            foliage(dice, colour, blot_m=0.5),
        ),
    ]
    clumps = dice.count(4, 6)
    for i in range(clumps):
        angle = (i + dice.uniform(0.0, 0.6)) * TAU / clumps
        reach, radius = crown * dice.uniform(0.6, 0.9), crown * dice.uniform(0.5, 0.75)
        spot = reach * cosine(angle), reach * sine(angle), fork + crown * dice.uniform(0.5, 1.4)
        solids.append(
            ball(
                spot,
                (radius, radius, radius * 0.8),
                foliage(dice, dice.tint(colour, amount=0.05), blot_m=0.4),
            )
        )
        if i % 2 == 0:
            solids.append(rod((0.0, 0.0, fork), spot, girth * 0.45, wood, end_radius=girth * 0.2))
    return solids


def conifer(dice: Dice) -> list[Solid]:
    """Return a fir: a trunk and stacked cones."""
    height = dice.uniform(5.0, 11.0)
    needles = foliage(dice, dice.tint(dice.pick(palette.CONIFER)), blot_m=0.3)
    solids = [rod((0.0, 0.0, 0.0), (0.0, 0.0, height * 0.4), 0.14, bark(dice))]
    for i in range(4):
        low, radius = height * (0.12 + 0.2 * i), height * (0.2 - 0.04 * i)
        solids.append(
            rod(
                (0.0, 0.0, low),
                (0.0, 0.0, low + height * 0.28),
                radius,
                needles,
                end_radius=radius * 0.12,
            )
        )
    return solids


def bush(dice: Dice) -> list[Solid]:
    """Return two or three leafy clumps near the ground."""
    colour = dice.tint(dice.pick(palette.LEAF))
    solids = []
    for _ in range(dice.count(2, 3)):
        radius = dice.uniform(0.35, 0.7)
        spot = dice.uniform(-0.5, 0.5), dice.uniform(-0.5, 0.5), radius * 0.6
        solids.append(
            ball(spot, (radius, radius, radius * 0.8), foliage(dice, colour, blot_m=0.15))
        )
    return solids


def hedge(dice: Dice, length: float) -> list[Solid]:
    """Return a clipped hedge along x."""
    height = dice.uniform(0.7, 1.6)
    leaves = foliage(dice, dice.tint(dice.pick(palette.LEAF)), blot_m=0.15)
    return [box((0.0, 0.0, height / 2), (length, 0.6, height), leaves, taper=(1.0, 0.85))]


def potted_plant(dice: Dice, height: float) -> list[Solid]:
    """Return a pot with stems that each carry a long leaf."""
    scale = height / 1.2
    pot = Material(dice.tint(dice.pick(palette.POT)), grain=0.08, grain_m=0.2)
    green = dice.tint(dice.pick(palette.LEAF))
    stem = Material((green[0] * 0.8, green[1] * 0.8, green[2] * 0.6))
    solids = [
        rod((0.0, 0.0, 0.0), (0.0, 0.0, 0.3 * scale), 0.13 * scale, pot, end_radius=0.18 * scale),
    ]
    count = dice.count(6, 9)
    for i in range(count):
        angle = (i + dice.uniform(0.0, 0.8)) * TAU / count
        reach, rise = dice.uniform(0.08, 0.3) * scale, dice.uniform(0.55, 1.05) * scale
        tip = reach * cosine(angle), reach * sine(angle), rise
        solids.append(rod((0.0, 0.0, 0.3 * scale), tip, 0.009 * scale, stem))
        solids += placed([_leaf(dice, green, scale)], at=tip, yaw=angle)
    return solids


def flowers(dice: Dice) -> list[Solid]:
    """Return a vase with a few stems and blossoms, for a table top."""
    vase = Material(dice.tint(dice.pick(palette.POT)))
    stem = Material((0.25, 0.42, 0.18))
    bloom = Material(dice.tint(dice.pick(((0.85, 0.25, 0.3), (0.9, 0.75, 0.2), (0.85, 0.8, 0.85)))))
    solids = [rod((0.0, 0.0, 0.0), (0.0, 0.0, 0.2), 0.06, vase, end_radius=0.04)]
    for i in range(4):
        angle = (i + dice.unit()) * TAU / 4
        tip = 0.1 * cosine(angle), 0.1 * sine(angle), dice.uniform(0.32, 0.42)
        solids += [rod((0.0, 0.0, 0.2), tip, 0.006, stem), ball(tip, (0.035, 0.035, 0.03), bloom)]
    return solids


def _leaf(dice: Dice, green: Vector, scale: float) -> Solid:
    """Return a flat leaf that hangs outwards along x."""
    lean = dice.uniform(-0.7, 0.3)
    cos, sin = cosine(lean), sine(lean)
    axes = ((cos, 0.0, sin), (0.0, 1.0, 0.0), (-sin, 0.0, cos))
    length, width = dice.uniform(0.14, 0.24) * scale, dice.uniform(0.05, 0.085) * scale
    paint = Material(dice.tint(green), grain=0.1, grain_m=0.1)
    return Solid(
        Shape.BALL,
        (length * 0.7 * cos, 0.0, length * 0.7 * sin),
        (length, width, 0.012 * scale),
        paint,
        axes,
    )
