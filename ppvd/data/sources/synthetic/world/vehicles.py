"""Cars and vans, standing at the origin, driving towards +y."""

from collections.abc import Callable

from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.scene import Material, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import box, rod


def any_vehicle(dice: Dice) -> tuple[str, Callable[[Dice], list[Solid]]]:
    """Draw a kind: its name and how to build it."""
    return ("van", van) if dice.chance(0.22) else ("car", car)


def car(dice: Dice) -> list[Solid]:
    """Return a saloon or a hatchback, about 4.2 m long."""
    length, width = dice.uniform(3.8, 4.7), dice.uniform(1.68, 1.82)
    paint = Material(dice.tint(dice.pick(palette.CAR), amount=0.05), grain=0.03)
    glass = Material(palette.GLASS, grain=0.03)
    back = -0.1 * length if dice.chance(0.5) else -0.14 * length
    lower = box((0.0, 0.0, 0.5), (width, length, 0.44), paint)
    waist = box((0.0, 0.0, 0.79), (width, length, 0.14), paint, taper=(0.94, 0.95))
    cabin = box((0.0, back, 1.08), (width * 0.94, length * 0.6, 0.44), glass, taper=(0.78, 0.62))
    roof = box((0.0, back, 1.315), (width * 0.74, length * 0.38, 0.05), paint, taper=(0.9, 0.9))
    pillars = _pillars(width, back, paint)
    return [lower, waist, cabin, roof, *pillars, *_wheels(width, length), *_lights(width, length)]


def van(dice: Dice) -> list[Solid]:
    """Return a delivery van, about 5 m long and 2.2 m high."""
    length, width, height = dice.uniform(4.6, 5.6), 1.95, dice.uniform(2.0, 2.4)
    paint = Material(dice.tint(dice.pick(palette.CAR), amount=0.05), grain=0.03)
    glass = Material(palette.GLASS, grain=0.03)
    nose = 0.9
    body = box(
        (0.0, -nose / 2, 0.3 + height / 2 - 0.15), (width, length - nose, height - 0.3), paint
    )
    hood = box((0.0, length / 2 - nose / 2, 0.65), (width, nose, 0.7), paint)
    screen = box(
        (0.0, length / 2 - nose + 0.02, 1.3), (width * 0.9, 1.1, 0.6), glass, taper=(0.95, 0.35)
    )
    side = box((0.0, length / 2 - nose - 0.65, 1.45), (width + 0.02, 0.8, 0.5), glass)
    rear = box((0.0, -length / 2, 1.5), (width * 0.8, 0.02, 0.5), glass)
    return [body, hood, screen, side, rear, *_wheels(width, length), *_lights(width, length)]


def _pillars(width: float, back: float, paint: Material) -> list[Solid]:
    """Return the bars between the side windows."""
    x_low, x_high = width * 0.465, width * 0.372
    return [
        rod((s * x_low, back, 0.86), (s * x_high, back, 1.3), 0.045, paint) for s in (-1.0, 1.0)
    ]


def _wheels(width: float, length: float) -> list[Solid]:
    tyre, hub = Material(palette.RUBBER, grain=0.05), Material(palette.METAL[2])
    solids = []
    for side in (-1.0, 1.0):
        for y in (-length * 0.31, length * 0.32):
            inner, outer = side * (width / 2 - 0.2), side * (width / 2 + 0.015)
            solids.append(rod((inner, y, 0.31), (outer, y, 0.31), 0.31, tyre))
            solids.append(rod((outer, y, 0.31), (outer + side * 0.012, y, 0.31), 0.17, hub))
    return solids


def _lights(width: float, length: float) -> list[Solid]:
    front, rear = Material((0.95, 0.94, 0.86), glow=0.25), Material((0.75, 0.06, 0.05), glow=0.2)
    plate, bumper = Material(palette.WHITE), Material(palette.BLACK)
    solids = [
        box((side * (width / 2 - 0.24), end * length / 2, 0.62), (0.32, 0.04, 0.14), paint)
        for end, paint in ((1.0, front), (-1.0, rear))
        for side in (-1.0, 1.0)
    ]
    solids += [
        box((0.0, end * length / 2, 0.36), (width * 0.96, 0.1, 0.16), bumper) for end in (-1.0, 1.0)
    ]
    return [
        *solids,
        *(
            box((0.0, end * (length / 2 + 0.04), 0.46), (0.5, 0.03, 0.11), plate)
            for end in (-1.0, 1.0)
        ),
    ]
