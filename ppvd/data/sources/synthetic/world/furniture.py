"""Furniture, around the origin of the floor; backs towards +y, in metres."""

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector, cosine, sine
from ppvd.data.sources.synthetic.scene import Material, Pattern, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import ball, box, placed, rod


def wooden(dice: Dice) -> Material:
    """Return some kind of wood."""
    colour = dice.tint(dice.pick(palette.WOOD))
    return Material(colour, grain=0.16, grain_m=0.25, seed=dice.unit())


def cloth(dice: Dice) -> Material:
    """Return a plain or striped fabric."""
    colour = dice.tint(dice.pick(palette.CLOTH), amount=0.1)
    pattern = Pattern.STRIPES if dice.chance(0.15) else Pattern.PLAIN
    return Material(colour, palette.WHITE, pattern, size_u=0.12, grain=0.12, grain_m=0.08)


def table(dice: Dice, width: float, depth: float, height: float, wood: Material) -> list[Solid]:
    """Return a table with four legs, round or square, and sometimes an apron under the top."""
    top = box((0.0, 0.0, height - 0.02), (width, depth, 0.04), wood)
    inset_x, inset_y = width / 2.0 - 0.06, depth / 2.0 - 0.06
    spots = [(x, y) for x in (-inset_x, inset_x) for y in (-inset_y, inset_y)]
    if dice.chance(0.5):
        legs = [rod((x, y, 0.0), (x, y, height - 0.04), 0.028, wood) for x, y in spots]
    else:
        legs = [
            box((x, y, height / 2.0 - 0.02), (0.06, 0.06, height - 0.04), wood) for x, y in spots
        ]
    apron = [
        box((0.0, y, height - 0.09), (width - 0.14, 0.02, 0.09), wood) for y in (-inset_y, inset_y)
    ]
    return [top, *legs, *apron]


def chair(dice: Dice, wood: Material) -> list[Solid]:
    """Return a chair with a slatted back."""
    seat_m, size, top = 0.45, 0.21, dice.uniform(0.85, 1.0)
    seat = box(
        (0.0, 0.0, seat_m - 0.02), (0.44, 0.44, 0.04), cloth(dice) if dice.chance(0.4) else wood
    )
    front = [rod((x, -0.19, 0.0), (x, -0.19, seat_m - 0.04), 0.018, wood) for x in (-0.19, 0.19)]
    back = [rod((x, 0.19, 0.0), (x, size + 0.04, top), 0.018, wood) for x in (-0.19, 0.19)]
    slats = [box((0.0, 0.235, z), (0.38, 0.02, 0.07), wood) for z in (top - 0.05, top - 0.2)]
    return [seat, *front, *back, *slats]


def sofa(dice: Dice, width: float) -> list[Solid]:
    """Return a sofa: base, back, two arms, cushions."""
    fabric, accent = cloth(dice), cloth(dice)
    base = box((0.0, 0.0, 0.23), (width, 0.85, 0.34), fabric)
    back = box((0.0, 0.36, 0.56), (width, 0.2, 0.5), fabric, taper=(0.98, 0.7))
    arms = [
        box((x, 0.0, 0.36), (0.18, 0.85, 0.56), fabric)
        for x in (-width / 2 + 0.09, width / 2 - 0.09)
    ]
    seats = max(2, round((width - 0.36) / 0.75))
    step = (width - 0.36) / seats
    cushions = [
        box((-(width - 0.36) / 2 + (i + 0.5) * step, -0.06, 0.44), (step - 0.02, 0.7, 0.12), fabric)
        for i in range(seats)
    ]
    pillow = ball((width / 2 - 0.4, 0.16, 0.62), (0.2, 0.09, 0.18), accent)
    return [base, back, *arms, *cushions, pillow]


def bed(dice: Dice, width: float) -> list[Solid]:
    """Return a bed with its headboard at +y."""
    wood, cover = wooden(dice), cloth(dice)
    sheet = Material(palette.WHITE, grain=0.08, grain_m=0.3)
    frame = box((0.0, 0.0, 0.2), (width, 2.05, 0.22), wood)
    mattress = box((0.0, 0.0, 0.41), (width - 0.06, 1.98, 0.2), sheet)
    blanket = box((0.0, -0.3, 0.45), (width - 0.02, 1.42, 0.16), cover)
    head = box((0.0, 1.03, 0.5), (width, 0.06, 1.0), wood)
    xs = (-width / 4, width / 4) if width > 1.2 else (0.0,)
    pillows = [ball((x, 0.72, 0.55), (0.3, 0.2, 0.09), sheet) for x in xs]
    feet = [
        box((x, -0.95, 0.05), (0.07, 0.07, 0.1), wood)
        for x in (-width / 2 + 0.06, width / 2 - 0.06)
    ]
    return [frame, mattress, blanket, head, *pillows, *feet]


def bookcase(dice: Dice, width: float, height: float) -> list[Solid]:
    """Return a shelf: a frame that stands out around painted rows of books."""
    colour = dice.tint(dice.pick((*palette.WOOD, palette.WHITE)))
    row_m = height / max(2, round(height / 0.36))
    books = Material(
        colour,
        pattern=Pattern.BOOKS,
        size_u=0.045,
        size_v=row_m,
        grain=0.04,
        seed=dice.uniform(0.0, 90.0),
    )
    wood = Material(colour, grain=0.14, grain_m=0.3)
    core = box((0.0, 0.05, height / 2), (width - 0.04, 0.2, height), books)
    sides = [box((x, 0.0, height / 2), (0.035, 0.3, height), wood) for x in (-width / 2, width / 2)]
    boards = [
        box((0.0, 0.0, i * row_m + 0.0175), (width, 0.3, 0.035), wood)
        for i in range(round(height / row_m))
    ]
    return [core, *sides, *boards, box((0.0, 0.0, height), (width + 0.03, 0.3, 0.035), wood)]


def cabinet(dice: Dice, width: float, height: float) -> list[Solid]:
    """Return a chest with doors or drawers, on short legs."""
    wood = wooden(dice)
    dark = Material(dice.tint(palette.METAL[0]))
    body = box((0.0, 0.0, height / 2 + 0.05), (width, 0.42, height - 0.1), wood)
    count = max(2, round(height / 0.28)) if dice.chance(0.5) else 2
    fronts, face = [], Material(dice.tint(wood.colour, amount=0.04), grain=0.14, grain_m=0.3)
    for i in range(count):
        z = 0.1 + (height - 0.1) * (i + 0.5) / count
        fronts.append(
            box((0.0, -0.215, z), (width - 0.05, 0.03, (height - 0.1) / count - 0.03), face)
        )
        fronts.append(box((0.0, -0.245, z), (0.14, 0.03, 0.02), dark))
    legs = [
        box((x, 0.0, 0.05), (0.05, 0.36, 0.1), dark) for x in (-width / 2 + 0.06, width / 2 - 0.06)
    ]
    return [body, *fronts, *legs]


def television(dice: Dice, width: float, at: float) -> list[Solid]:
    """Return a flat screen that stands ``at`` metres above the floor."""
    case = Material(palette.BLACK, grain=0.02)
    shown = Material(
        (0.12, 0.15, 0.2), palette.BLACK, Pattern.PICTURE, grain=0.02, seed=dice.unit(), glow=0.15
    )
    height = width * 0.58
    middle = at + 0.08 + height / 2
    screen = box((0.0, 0.0, middle), (width, 0.05, height), shown)
    return [
        screen,
        box((0.0, 0.0, at + 0.01), (0.3, 0.2, 0.02), case),
        rod((0.0, 0.0, at), (0.0, 0.0, at + 0.1), 0.025, case),
    ]


def chairs_around(dice: Dice, width: float, depth: float) -> list[Solid]:
    """Return chairs on the sides of a table, each drawn out a little."""
    wood, solids = wooden(dice), []
    model = chair(dice, wood)
    for quarter in range(4):
        if dice.chance(0.25):
            continue
        reach = (depth if quarter % 2 == 0 else width) / 2 + dice.uniform(0.02, 0.22)
        angle = quarter * TAU / 4
        spot: Vector = (-sine(angle) * reach, cosine(angle) * reach, 0.0)
        solids += placed(model, at=spot, yaw=angle + dice.uniform(-0.25, 0.25))
    return solids
