"""What stands along a street: lamp posts, signs, fences, benches, wires."""

from itertools import pairwise

from ppvd.data.sources.synthetic.portable import Dice, Vector
from ppvd.data.sources.synthetic.scene import Material, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import box, lattice, rod


def lamp_post(dice: Dice) -> list[Solid]:
    """Return a post whose arm reaches towards +x."""
    height, metal = dice.uniform(4.5, 6.5), Material(dice.tint(dice.pick(palette.METAL)))
    lamp = Material(palette.BULB, glow=0.35)
    return [
        rod((0.0, 0.0, 0.0), (0.0, 0.0, 0.6), 0.1, metal),
        rod((0.0, 0.0, 0.0), (0.0, 0.0, height), 0.065, metal, end_radius=0.04),
        rod((0.0, 0.0, height), (1.2, 0.0, height + 0.25), 0.035, metal),
        box((1.35, 0.0, height + 0.22), (0.6, 0.22, 0.1), metal),
        box((1.35, 0.0, height + 0.16), (0.5, 0.16, 0.04), lamp),
    ]


def traffic_sign(dice: Dice) -> list[Solid]:
    """Return a sign on a pole, round or square, facing -y."""
    height, metal = dice.uniform(2.1, 2.6), Material(palette.METAL[2])
    rim, face = dice.pick(
        (
            ((0.75, 0.08, 0.08), palette.WHITE),
            ((0.1, 0.22, 0.55), (0.12, 0.28, 0.65)),
            ((0.75, 0.08, 0.08), (0.75, 0.08, 0.08)),
        )
    )
    pole = rod((0.0, 0.0, 0.0), (0.0, 0.0, height + 0.3), 0.03, metal)
    if dice.chance(0.65):
        disc = rod((0.0, -0.06, height), (0.0, -0.04, height), 0.32, Material(rim))
        return [pole, disc, rod((0.0, -0.07, height), (0.0, -0.05, height), 0.24, Material(face))]
    return [
        pole,
        box((0.0, -0.05, height), (0.6, 0.02, 0.6), Material(rim)),
        box((0.0, -0.065, height), (0.5, 0.02, 0.12), Material(palette.WHITE)),
    ]


def picket_fence(dice: Dice, length: float) -> list[Solid]:
    """Return a fence along x: posts and a lattice of pickets with two rails."""
    height = dice.uniform(0.8, 1.3)
    wood = dice.chance(0.6)
    colour = dice.pick((*palette.WOOD, palette.WHITE, palette.WHITE)) if wood else palette.METAL[1]
    paint = Material(dice.tint(colour), grain=0.1, grain_m=0.2)
    period, fill = (dice.uniform(0.14, 0.22), dice.uniform(0.45, 0.65)) if wood else (0.13, 0.16)
    panel = lattice(
        (0.0, 0.0, height / 2 + 0.05), (length, height), paint, period_m=period, fill=fill
    )
    return [panel, *_posts(length, height + 0.12, paint)]


def rail_fence(dice: Dice, length: float) -> list[Solid]:
    """Return a fence along x of posts and two or three solid rails."""
    height, paint = (
        dice.uniform(0.9, 1.3),
        Material(dice.tint(dice.pick(palette.WOOD)), grain=0.2, grain_m=0.3),
    )
    count = dice.count(2, 3)
    rails = [
        box((0.0, 0.0, height * (0.3 + 0.6 * i / (count - 1))), (length, 0.05, 0.11), paint)
        for i in range(count)
    ]
    return [*rails, *_posts(length, height, paint)]


def bench(dice: Dice) -> list[Solid]:
    """Return a park bench whose back is at +y."""
    wood = Material(dice.tint(dice.pick(palette.WOOD)), grain=0.15, grain_m=0.2)
    iron = Material(palette.METAL[1])
    seat = [box((0.0, -0.18 + 0.12 * i, 0.45), (1.6, 0.1, 0.04), wood) for i in range(3)]
    back = [box((0.0, 0.2, 0.62 + 0.16 * i), (1.6, 0.04, 0.1), wood) for i in range(2)]
    legs = [box((x, 0.0, 0.22), (0.06, 0.42, 0.44), iron) for x in (-0.65, 0.65)]
    props = [box((x, 0.23, 0.6), (0.06, 0.04, 0.5), iron) for x in (-0.65, 0.65)]
    return [*seat, *back, *legs, *props]


def litter_bin(dice: Dice) -> list[Solid]:
    """Return a wheeled bin or a litter bin."""
    paint = Material(dice.tint(dice.pick(((0.15, 0.3, 0.2), (0.2, 0.22, 0.25), (0.25, 0.2, 0.5)))))
    lid = Material((paint.colour[0] * 0.7, paint.colour[1] * 0.7, paint.colour[2] * 0.7))
    if dice.chance(0.5):
        return [
            rod((0.0, 0.0, 0.05), (0.0, 0.0, 0.9), 0.25, paint),
            rod((0.0, 0.0, 0.9), (0.0, 0.0, 1.0), 0.28, lid, end_radius=0.15),
        ]
    body = box((0.0, 0.0, 0.52), (0.62, 0.68, 0.95), paint, taper=(1.12, 1.12))
    return [body, box((0.0, 0.0, 1.03), (0.72, 0.8, 0.07), lid)]


def bollards(dice: Dice, count: int, gap: float) -> list[Solid]:
    """Return a row of short posts along y."""
    paint = Material(dice.tint(dice.pick(palette.METAL)))
    band = Material(palette.WHITE)
    solids = []
    for i in range(count):
        solids.append(rod((0.0, i * gap, 0.0), (0.0, i * gap, 0.9), 0.07, paint))
        solids.append(rod((0.0, i * gap, 0.72), (0.0, i * gap, 0.82), 0.074, band))
    return solids


def wires(dice: Dice, spots: list[Vector]) -> list[Solid]:
    """Return wooden poles at ``spots`` with cross-arms, and sagging wires between them."""
    wood, wire = Material(dice.tint(palette.BARK[1]), grain=0.2), Material(palette.BLACK)
    height, solids = dice.uniform(6.5, 8.0), []
    for x, y, z in spots:
        solids.append(rod((x, y, z), (x, y, z + height), 0.11, wood, end_radius=0.08))
        solids.append(box((x, y, z + height - 0.4), (1.7, 0.1, 0.12), wood))
    for (x0, y0, _), (x1, y1, _) in pairwise(spots):
        for side in (-0.75, 0.75):
            top, low = height - 0.34, height - 0.8
            middle = 0.5 * (x0 + x1) + side, 0.5 * (y0 + y1), low
            solids.append(rod((x0 + side, y0, top), middle, 0.014, wire, casts=False))
            solids.append(rod(middle, (x1 + side, y1, top), 0.014, wire, casts=False))
    return solids


def _posts(length: float, height: float, paint: Material) -> list[Solid]:
    count = max(2, round(length / 2.2) + 1)
    return [
        box((-length / 2 + length * i / (count - 1), 0.0, height / 2), (0.1, 0.1, height), paint)
        for i in range(count)
    ]
