"""Small things that stand on a table."""

from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.scene import Material, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import ball, box, placed, rod


def crockery(dice: Dice, at: float, reach: tuple[float, float]) -> list[Solid]:
    """Return a few mugs, bowls, books and bottles on a top ``at`` metres high."""
    solids: list[Solid] = []
    for _ in range(dice.count(2, 5)):
        spot = dice.uniform(-reach[0], reach[0]), dice.uniform(-reach[1], reach[1]), at
        paint = Material(dice.tint(dice.pick((*palette.CAR, *palette.POT)), amount=0.1), grain=0.03)
        solids += placed(dice.pick((_mug, _bowl, _book, _bottle))(dice, paint), at=spot)
    return solids


def _mug(_dice: Dice, paint: Material) -> list[Solid]:
    return [rod((0.0, 0.0, 0.0), (0.0, 0.0, 0.1), 0.042, paint)]


def _bowl(dice: Dice, paint: Material) -> list[Solid]:
    fruit = Material(dice.pick(((0.85, 0.5, 0.12), (0.7, 0.16, 0.12), (0.55, 0.65, 0.2))))
    spheres = [ball((x, 0.02 * x, 0.1), (0.045, 0.045, 0.045), fruit) for x in (-0.06, 0.0, 0.06)]
    return [rod((0.0, 0.0, 0.0), (0.0, 0.0, 0.08), 0.08, paint, end_radius=0.14), *spheres]


def _book(dice: Dice, paint: Material) -> list[Solid]:
    return placed(
        [box((0.0, 0.0, 0.02), (0.16, 0.23, 0.04), paint)],
        at=(0.0, 0.0, 0.0),
        yaw=dice.uniform(-0.8, 0.8),
    )


def _bottle(_dice: Dice, paint: Material) -> list[Solid]:
    body = rod((0.0, 0.0, 0.0), (0.0, 0.0, 0.2), 0.037, paint)
    return [body, rod((0.0, 0.0, 0.2), (0.0, 0.0, 0.31), 0.034, paint, end_radius=0.013)]
