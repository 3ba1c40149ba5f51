"""Houses, fronts towards -y, their front wall on the line y = 0."""

from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.scene import Material, Pattern, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import box, placed, rod


def house(dice: Dice, width: float) -> list[Solid]:
    """Return a house ``width`` metres wide: walls with windows, a roof, a door, often a chimney."""
    storeys, storey = dice.count(1, 3), dice.uniform(2.6, 3.0)
    depth, height = dice.uniform(7.0, 10.0), storeys * storey + 0.3
    wall = Material(
        dice.tint(dice.pick((*palette.PLASTER, *palette.BRICK))),
        palette.WHITE,
        Pattern.FACADE,
        size_u=width / max(2, round(width / dice.uniform(2.2, 3.2))),
        size_v=storey,
        grain=0.07,
        grain_m=0.8,
        seed=dice.uniform(0.0, 90.0),
    )
    walls = box((0.0, depth / 2, height / 2), (width, depth, height), wall)
    return [walls, *_roof(dice, width, depth, height), *_entrance(dice, width)]


def block(dice: Dice, width: float) -> list[Solid]:
    """Return a block of flats with a flat roof, 4 to 7 storeys."""
    storey, depth = 2.9, dice.uniform(9.0, 13.0)
    height = dice.count(4, 7) * storey + 0.4
    wall = Material(
        dice.tint(dice.pick((*palette.PLASTER, *palette.BRICK))),
        dice.pick((palette.WHITE, palette.METAL[2])),
        Pattern.FACADE,
        size_u=width / max(2, round(width / dice.uniform(2.4, 3.4))),
        size_v=storey,
        grain_m=1.0,
        seed=dice.uniform(0.0, 90.0),
    )
    edge = Material(dice.tint(palette.ROOF[2]))
    walls = box((0.0, depth / 2, height / 2), (width, depth, height), wall)
    return [
        walls,
        box((0.0, depth / 2, height + 0.1), (width + 0.3, depth + 0.3, 0.25), edge),
        *_entrance(dice, width),
    ]


def brick_wall(dice: Dice, length: float) -> list[Solid]:
    """Return a garden wall of bricks along x with a coping of stone."""
    height = dice.uniform(0.7, 1.6)
    bricks = Material(
        dice.tint(dice.pick(palette.BRICK)),
        (0.75, 0.72, 0.67),
        Pattern.BRICKS,
        size_u=0.25,
        size_v=0.085,
    )
    stone = Material((0.66, 0.65, 0.62), grain=0.15, grain_m=0.3)
    wall = box((0.0, 0.0, height / 2), (length, 0.24, height), bricks)
    return [wall, box((0.0, 0.0, height + 0.03), (length + 0.06, 0.32, 0.07), stone)]


def _roof(dice: Dice, width: float, depth: float, height: float) -> list[Solid]:
    tiles = Material(
        dice.tint(dice.pick(palette.ROOF)),
        (0.2, 0.16, 0.15),
        Pattern.TILES,
        size_u=0.35,
        size_v=0.35,
        grain=0.18,
    )
    rise, eaves = dice.uniform(1.8, 3.4), 0.5
    if dice.chance(0.15):
        return [box((0.0, depth / 2, height + 0.15), (width + 0.4, depth + 0.4, 0.3), tiles)]
    hip = dice.uniform(0.4, 0.75) if dice.chance(0.35) else 1.0
    taper = (hip, 0.0) if dice.chance(0.6) else (0.0, hip)
    roof = box(
        (0.0, depth / 2, height + rise / 2),
        (width + eaves, depth + eaves, rise),
        tiles,
        taper=taper,
    )
    bricks = Material(dice.tint(palette.BRICK[0]), grain=0.15, grain_m=0.2)
    x = dice.uniform(-0.3, 0.3) * width
    return [roof, box((x, depth / 2 + 0.6, height + rise * 0.75), (0.6, 0.6, rise), bricks)]


def _entrance(dice: Dice, width: float) -> list[Solid]:
    """Return a door with a frame, a step and a handle."""
    leaf = Material(
        dice.tint(dice.pick((*palette.CAR, *palette.WOOD)), amount=0.1), grain=0.06, grain_m=0.3
    )
    frame, stone = Material(palette.WHITE), Material((0.62, 0.61, 0.58), grain=0.1)
    handle = Material(palette.METAL[2])
    parts = [
        box((0.0, -0.02, 1.1), (1.16, 0.1, 2.24), frame),
        box((0.0, -0.06, 1.05), (0.96, 0.06, 2.08), leaf),
        box((0.0, -0.45, 0.08), (1.5, 0.8, 0.16), stone),
        rod((0.36, -0.14, 0.95), (0.36, -0.14, 1.15), 0.02, handle),
    ]
    return placed(parts, at=(dice.uniform(-0.25, 0.25) * width, 0.0, 0.0))
