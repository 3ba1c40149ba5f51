"""The plan of a room, and its surfaces.

The room spans x from -width / 2 to width / 2, y from 0 to length, z from 0 to height.
"""

from dataclasses import dataclass

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector
from ppvd.data.sources.synthetic.scene import Material, Opening, Pattern, Shape, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import box, placed, rod

SLAB_M = 0.2
"""Thickness of floor and ceiling."""
DOOR = (0.92, 2.06)
"""Width and height of a door, metres."""
RIGHT, LEFT, FAR = 0, 1, 2
"""Walls, numbered like the faces of an `Opening`; the camera looks at the far one."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A door or a window.

    Attributes:
        wall: `RIGHT`, `LEFT` or `FAR`.
        middle: World, metres.
        size: Width and height, metres.
    """

    wall: int
    middle: Vector
    size: tuple[float, float]

    @property
    def along(self) -> float:
        """Position of the middle along the wall, metres."""
        return self.middle[0] if self.wall == FAR else self.middle[1]


@dataclass(frozen=True, slots=True)
class Room:
    """Extents of a room in metres, and its holes.

    Attributes:
        width: Along x.
        length: Along y.
        height: Along z.
        lamp: A point under the ceiling.
        door: The door, in another wall than the window.
        window: The window, if there is one.
    """

    width: float
    length: float
    height: float
    lamp: Vector
    door: Hole
    window: Hole | None

    @classmethod
    def draw(cls, dice: Dice) -> "Room":
        """Draw a room from a box room to a hall."""
        width, length = dice.uniform(3.0, 6.0), dice.uniform(3.8, 8.5)
        height, wall = dice.uniform(2.35, 3.1), dice.count(0, 2)
        lamp = dice.uniform(-0.15, 0.15) * width, dice.uniform(0.4, 0.65) * length, height - 0.12
        window = _draw_window(dice, wall, width, length) if dice.chance(0.7) else None
        other = dice.pick([face for face in (RIGHT, LEFT, FAR) if face != wall])
        return cls(width, length, height, lamp, _draw_door(dice, other, width, length), window)

    def taken(self, wall: int, *, tall: bool) -> list[tuple[float, float]]:
        """Return the stretches of ``wall`` that furniture must leave free.

        Args:
            wall: `RIGHT`, `LEFT` or `FAR`.
            tall: Whether what comes there would hide a window.
        """
        margins = [(self.door, 0.1)]
        if tall and self.window is not None:
            margins.append((self.window, 0.45))
        return [
            (hole.along - hole.size[0] / 2 - margin, hole.along + hole.size[0] / 2 + margin)
            for hole, margin in margins
            if hole.wall == wall
        ]

    def opening(self, hole: Hole) -> Opening:
        """Return ``hole`` in the coordinates of the walls' own box."""
        extent = self.width if hole.wall == FAR else self.length
        middle = 2.0 * hole.along / extent - (0.0 if hole.wall == FAR else 1.0)
        half, z = hole.size[0] / extent, hole.middle[2]
        low, high = (
            (z + sign * hole.size[1] / 2 - self.height / 2) / (self.height / 2 + SLAB_M / 2)
            for sign in (-1.0, 1.0)
        )
        return Opening(hole.wall, (middle - half, low), (middle + half, high))


def on_wall(wall: int, middle: Vector, solids: list[Solid]) -> list[Solid]:
    """Hang ``solids``, made around the origin in the plane y = 0 with their front at -y."""
    return placed(solids, at=middle, yaw=(-TAU / 4, TAU / 4, 0.0)[wall])


def surfaces(dice: Dice, room: Room, openings: tuple[Opening, ...]) -> list[Solid]:
    """Return walls, floor, ceiling, skirting boards and the lamp under the ceiling."""
    plan = (room.width, room.length, SLAB_M)
    white = Material(dice.tint(palette.WHITE, amount=0.03), grain=0.03, grain_m=1.0)
    return [
        *shell(dice, (0.0, room.length / 2), plan, room.height, white, openings),
        *_skirting(room, white),
        *_ceiling_light(room),
    ]


def shell(
    dice: Dice,
    middle: tuple[float, float],
    plan: Vector,
    height: float,
    ceiling: Material,
    openings: tuple[Opening, ...],
) -> list[Solid]:
    """Return walls, a floor and a ceiling; the walls reach into both slabs.

    Args:
        dice: Paper and floor.
        middle: Middle of the floor, metres.
        plan: Extents of floor and ceiling, metres.
        height: Height of the ceiling, metres.
        ceiling: Its paint.
        openings: Holes in the walls.
    """
    x, y = middle
    half = (plan[0] / 2, plan[1] / 2, (height + SLAB_M) / 2)
    paper, floor = _wallpaper(dice), _flooring(dice)
    centre = (x, y, height / 2)
    return [
        Solid(Shape.ROOM, centre, half, paper, openings=openings, casts=False),
        box((x, y, -SLAB_M / 2), plan, floor, casts=False),
        box((x, y, height + SLAB_M / 2), plan, ceiling, casts=False),
    ]


def _draw_window(dice: Dice, wall: int, width: float, length: float) -> Hole:
    size = dice.uniform(0.9, 1.7), dice.uniform(0.9, 1.3)
    z = 0.95 + size[1] / 2
    if wall == FAR:
        return Hole(wall, (dice.uniform(-0.25, 0.25) * width, length, z), size)
    side = 1.0 if wall == RIGHT else -1.0
    return Hole(wall, (side * width / 2, dice.uniform(0.5, 0.7) * length, z), size)


def _draw_door(dice: Dice, wall: int, width: float, length: float) -> Hole:
    if wall == FAR:
        return Hole(wall, (dice.sign() * (width / 2 - 0.8), length, DOOR[1] / 2), DOOR)
    side = 1.0 if wall == RIGHT else -1.0
    return Hole(wall, (side * width / 2, dice.uniform(0.35, 0.8) * length, DOOR[1] / 2), DOOR)


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
    """Return boards, tiles or carpet."""
    seed, kind = dice.uniform(0.0, 90.0), dice.count(0, 3)
    if kind <= 1:
        wood = dice.pick(palette.WOOD)
        dark = dice.tint((wood[0] * 0.8, wood[1] * 0.78, wood[2] * 0.76))
        size_u, size_v = dice.uniform(0.09, 0.2), dice.uniform(0.9, 1.8)
        return Material(dice.tint(wood), dark, Pattern.PLANKS, size_u, size_v, seed=seed)
    if kind == 2:
        tile = dice.tint(dice.pick((*palette.PLASTER, palette.POT[0], palette.METAL[2])))
        size = dice.uniform(0.2, 0.5)
        return Material(tile, (0.45, 0.43, 0.41), Pattern.TILES, size, size, seed=seed)
    carpet = dice.tint(dice.pick(palette.CLOTH), amount=0.1)
    return Material(carpet, grain=0.16, grain_m=0.12, seed=seed)


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
