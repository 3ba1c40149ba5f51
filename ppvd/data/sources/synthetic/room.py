"""The shell of a room: floor, walls, ceiling, doors, windows, and what is seen through them.

The room spans x from -width / 2 to width / 2, y from 0 to length, z from 0 to height.
"""

from dataclasses import dataclass

from ppvd.data.sources.synthetic import palette, plants
from ppvd.data.sources.synthetic.buildings import house
from ppvd.data.sources.synthetic.furniture import wooden
from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector
from ppvd.data.sources.synthetic.scene import Material, Opening, Pattern, Shape, Solid
from ppvd.data.sources.synthetic.shapes import box, placed, rod

SLAB_M = 0.2
"""Thickness of floor and ceiling."""
FAR_WALL = 2
"""Face of the opening in the wall that the camera looks at."""


@dataclass(frozen=True, slots=True)
class Room:
    """Extents of a room and where its light comes from, metres.

    Attributes:
        width: Along x.
        length: Along y.
        height: Along z.
        lamp: A point under the ceiling.
        window: Middle of the window, if there is one.
        face: Wall of the window: 0, 1 or 2, see `Opening`.
        span: Width and height of the window.
    """

    width: float
    length: float
    height: float
    lamp: Vector
    window: Vector | None
    face: int
    span: tuple[float, float]

    @classmethod
    def draw(cls, dice: Dice) -> "Room":
        """Draw a room from a box room to a hall."""
        width, length = dice.uniform(3.0, 6.0), dice.uniform(3.8, 8.5)
        height = dice.uniform(2.35, 3.1)
        lamp = (dice.uniform(-0.15, 0.15) * width, dice.uniform(0.4, 0.65) * length, height - 0.12)
        face = dice.count(0, 2)
        span = dice.uniform(0.9, 1.7), dice.uniform(0.9, 1.3)
        along = dice.uniform(-0.25, 0.25) * width, dice.uniform(0.5, 0.7) * length
        middle = 0.95 + span[1] / 2
        spots = ((width / 2, along[1], middle), (-width / 2, along[1], middle), (along[0], length, middle))
        window = spots[face] if dice.chance(0.7) else None
        return cls(width, length, height, lamp, window, face, span)


def shell(dice: Dice, room: Room) -> dict[str, list[Solid]]:
    """Return the parts of the room by name."""
    openings: list[Opening] = []
    things: dict[str, list[Solid]] = {}
    if room.window is not None:
        openings.append(_hole(room, room.face, room.window, room.span))
        things["window"] = [*_window(dice, room), *_outside(dice, room)]
    door_face = dice.pick([face for face in (0, 1, 2) if face != room.face or room.window is None])
    door_at = _door_spot(dice, room, door_face)
    if dice.chance(0.4):
        openings.append(_hole(room, door_face, door_at, (0.92, 2.06)))
        things["doorway"] = _frame(room, door_face, door_at, (0.92, 2.06)) + _corridor(dice, room, door_face, door_at)
    else:
        things["door"] = _door(dice, room, door_face, door_at)
    things["room"] = _surfaces(dice, room, tuple(openings))
    things["picture"] = _pictures(dice, room)
    return things


def _surfaces(dice: Dice, room: Room, openings: tuple[Opening, ...]) -> list[Solid]:
    middle = (0.0, room.length / 2, room.height / 2)
    half = (room.width / 2, room.length / 2, room.height / 2 + SLAB_M / 2)
    walls = Solid(Shape.ROOM, middle, half, _wallpaper(dice), openings=openings, casts=False)
    plan = (room.width, room.length, SLAB_M)
    white = Material(dice.tint(palette.WHITE, amount=0.03), grain=0.03, grain_m=1.0)
    floor = box((0.0, room.length / 2, -SLAB_M / 2), plan, _flooring(dice), casts=False)
    ceiling = box((0.0, room.length / 2, room.height + SLAB_M / 2), plan, white, casts=False)
    return [walls, floor, ceiling, *_skirting(room, white), *_ceiling_light(room)]


def _wallpaper(dice: Dice) -> Material:
    colour = dice.tint(dice.pick(palette.WALL))
    if dice.chance(0.2):
        other = dice.tint(colour, amount=0.1)
        return Material(colour, other, Pattern.STRIPES, size_u=dice.uniform(0.2, 0.5), grain=0.04)
    if dice.chance(0.12):
        brick = dice.tint(dice.pick(palette.BRICK))
        return Material(brick, (0.75, 0.72, 0.68), Pattern.BRICKS, size_u=0.25, size_v=0.085)
    return Material(colour, grain=0.05, grain_m=0.7, seed=dice.unit())


def _flooring(dice: Dice) -> Material:
    seed = dice.uniform(0.0, 90.0)
    kind = dice.count(0, 3)
    if kind <= 1:
        wood = dice.pick(palette.WOOD)
        return Material(
            dice.tint(wood), dice.tint((wood[0] * 0.8, wood[1] * 0.78, wood[2] * 0.76)), Pattern.PLANKS,
            size_u=dice.uniform(0.09, 0.2), size_v=dice.uniform(0.9, 1.8), seed=seed,
        )
    if kind == 2:
        tile = dice.tint(dice.pick((*palette.PLASTER, palette.POT[0], palette.METAL[2])))
        size = dice.uniform(0.2, 0.5)
        return Material(tile, (0.45, 0.43, 0.41), Pattern.TILES, size_u=size, size_v=size, seed=seed)
    return Material(dice.tint(dice.pick(palette.CLOTH), amount=0.1), grain=0.16, grain_m=0.12, seed=seed)


def _skirting(room: Room, paint: Material) -> list[Solid]:
    w, length, z = room.width, room.length, 0.045
    return [
        box((0.0, length - 0.008, z), (w, 0.016, 0.09), paint, casts=False),
        box((w / 2 - 0.008, length / 2, z), (0.016, length, 0.09), paint, casts=False),
        box((-w / 2 + 0.008, length / 2, z), (0.016, length, 0.09), paint, casts=False),
    ]


def _ceiling_light(room: Room) -> list[Solid]:
    lamp = Material(palette.BULB, glow=0.8)
    x, y, _ = room.lamp
    return [rod((x, y, room.height - 0.06), (x, y, room.height), 0.2, lamp, casts=False)]


def _hole(room: Room, face: int, middle: Vector, span: tuple[float, float]) -> Opening:
    along = (middle[0] / (room.width / 2)) if face == FAR_WALL else middle[1] / (room.length / 2) - 1.0
    half = span[0] / (room.width if face == FAR_WALL else room.length)
    reach = room.height / 2 + SLAB_M / 2
    low, high = middle[2] - span[1] / 2, middle[2] + span[1] / 2
    rise = [(z - room.height / 2) / reach for z in (low, high)]
    return Opening(face, (along - half, rise[0]), (along + half, rise[1]))


def _on_wall(face: int, middle: Vector, solids: list[Solid]) -> list[Solid]:
    """Hang ``solids``, made around the origin in the plane y = 0 with their front at -y."""
    yaw = (-TAU / 4, TAU / 4, 0.0)[face]
    return placed(solids, at=middle, yaw=yaw)


def _frame(room: Room, face: int, middle: Vector, span: tuple[float, float]) -> list[Solid]:
    del room
    white, (w, h) = Material(palette.WHITE), span
    jambs = [box((x, 0.0, 0.0), (0.07, 0.12, h + 0.07), white, casts=False) for x in (-w / 2, w / 2)]
    return _on_wall(face, middle, [*jambs, box((0.0, 0.0, h / 2), (w + 0.14, 0.12, 0.07), white, casts=False)])


def _window(dice: Dice, room: Room) -> list[Solid]:
    assert room.window is not None
    white, (w, h) = Material(palette.WHITE), room.span
    bars = [
        box((0.0, 0.02, 0.0), (0.05, 0.05, h), white, casts=False),
        box((0.0, 0.02, h * 0.18), (w, 0.05, 0.04), white, casts=False),
        box((0.0, -0.06, -h / 2), (w + 0.2, 0.2, 0.04), white, casts=False),
    ]
    curtain = Material(
        dice.tint(dice.pick(palette.CLOTH), amount=0.1), palette.WHITE, Pattern.STRIPES, size_u=0.14, grain=0.1
    )
    drapes = [
        box((side * (w / 2 + 0.16), -0.1, -0.1), (0.34, 0.06, h + 0.5), curtain, casts=False) for side in (-1.0, 1.0)
    ]
    rail = rod((-w / 2 - 0.4, -0.1, h / 2 + 0.18), (w / 2 + 0.4, -0.1, h / 2 + 0.18), 0.015, Material(palette.METAL[1]), casts=False)
    hung = _on_wall(room.face, room.window, [*bars, *(drapes if dice.chance(0.7) else []), rail])
    return hung + _frame(room, room.face, room.window, room.span)


def _outside(dice: Dice, room: Room) -> list[Solid]:
    """Return the lawn, trees and a house beyond the window."""
    grass = Material(dice.tint(dice.pick(palette.GRASS)), grain=0.25, grain_m=1.0)
    lawn = Solid(Shape.GROUND, (0.0, 0.0, -0.5), (1.0, 1.0, 1.0), grass, casts=False)
    group: list[Solid] = []
    for _ in range(3):
        group += placed(plants.tree(dice), at=(dice.uniform(-9.0, 9.0), dice.uniform(7.0, 16.0), -0.5))
    group += placed(house(dice, dice.uniform(9.0, 14.0)), at=(dice.uniform(-8.0, 8.0), dice.uniform(17.0, 26.0), -0.5))
    assert room.window is not None
    base = (room.window[0], room.window[1], 0.0)
    return [lawn, *_on_wall(room.face, base, group)]


def _door_spot(dice: Dice, room: Room, face: int) -> Vector:
    if face == FAR_WALL:
        return dice.sign() * (room.width / 2 - 0.8), room.length, 1.03
    side = 1.0 if face == 0 else -1.0
    return side * room.width / 2, dice.uniform(0.35, 0.8) * room.length, 1.03


def _door(dice: Dice, room: Room, face: int, middle: Vector) -> list[Solid]:
    leaf = Material(dice.tint(dice.pick((palette.WHITE, *palette.WOOD))), grain=0.1, grain_m=0.3)
    panel = Material((leaf.colour[0] * 0.9, leaf.colour[1] * 0.9, leaf.colour[2] * 0.9))
    metal = Material(palette.METAL[2])
    parts = [
        box((0.0, -0.01, 0.0), (0.88, 0.05, 2.04), leaf, casts=False),
        box((0.0, -0.04, 0.45), (0.6, 0.02, 0.8), panel, casts=False),
        box((0.0, -0.04, -0.5), (0.6, 0.02, 0.7), panel, casts=False),
        rod((0.34, -0.09, -0.02), (0.22, -0.09, -0.02), 0.013, metal, casts=False),
        rod((0.34, -0.09, -0.02), (0.34, 0.0, -0.02), 0.013, metal, casts=False),
    ]
    return _on_wall(face, middle, parts) + _frame(room, face, middle, (0.9, 2.06))


def _corridor(dice: Dice, room: Room, face: int, middle: Vector) -> list[Solid]:
    """Return the next room as seen through the doorway: a smaller shell that shares the wall."""
    depth, wide = dice.uniform(1.5, 4.5), dice.uniform(1.6, 3.0)
    paint = _wallpaper(dice)
    half_z = room.height / 2 + SLAB_M / 2
    if face == FAR_WALL:
        centre, half = (middle[0], room.length + depth / 2, room.height / 2), (wide / 2, depth / 2, half_z)
        hole = Opening(3, (-0.92 / wide, -1.0), (0.92 / wide, 1.0))
    else:
        side = 1.0 if face == 0 else -1.0
        centre = (side * (room.width / 2 + depth / 2), middle[1], room.height / 2)
        half, hole = (depth / 2, wide / 2, half_z), Opening(1 - face, (-0.92 / wide, -1.0), (0.92 / wide, 1.0))
    walls = Solid(Shape.ROOM, centre, half, paint, openings=(hole,), casts=False)
    plan = (2 * half[0], 2 * half[1], SLAB_M)
    floor = box((centre[0], centre[1], -SLAB_M / 2), plan, _flooring(dice), casts=False)
    white = Material(palette.WHITE)
    ceiling = box((centre[0], centre[1], room.height + SLAB_M / 2), plan, white, casts=False)
    return [walls, floor, ceiling]


def _pictures(dice: Dice, room: Room) -> list[Solid]:
    solids: list[Solid] = []
    for face in (0, 1, 2):
        extent = room.width if face == FAR_WALL else room.length
        for _ in range(dice.count(0, 2)):
            w, h = dice.uniform(0.35, 0.9), dice.uniform(0.3, 0.7)
            along, up = dice.uniform(-0.38, 0.38) * extent, dice.uniform(1.5, 1.75)
            if _clashes(room, face, along, w):
                continue
            art = Material(
                palette.WHITE, dice.pick((*palette.WOOD, palette.BLACK)), Pattern.PICTURE, grain=0.04, seed=dice.uniform(1.0, 60.0)
            )
            side = room.width / 2 if face == 0 else -room.width / 2
            spot = (along, room.length, up) if face == FAR_WALL else (side, along + room.length / 2, up)
            solids += _on_wall(face, spot, [box((0.0, -0.015, 0.0), (w, 0.03, h), art, casts=False)])
    return solids


def _clashes(room: Room, face: int, along: float, width: float) -> bool:
    if room.window is None or face != room.face:
        return False
    middle = room.window[0] if face == FAR_WALL else room.window[1] - room.length / 2
    return abs(along - middle) < (width + room.span[0]) / 2 + 0.45
