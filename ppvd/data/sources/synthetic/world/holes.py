"""Doors, windows, pictures, and what is seen through the holes of a room."""

from dataclasses import replace

from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.scene import Material, Opening, Pattern, Shape, Solid
from ppvd.data.sources.synthetic.world import palette, plants
from ppvd.data.sources.synthetic.world.buildings import house
from ppvd.data.sources.synthetic.world.room import (
    DOOR,
    FAR,
    LEFT,
    RIGHT,
    SLAB_M,
    Hole,
    Room,
    on_wall,
    shell,
    surfaces,
)
from ppvd.data.sources.synthetic.world.shapes import box, placed, rod
from ppvd.data.sources.synthetic.world.things import Things

GARDEN_Z = -0.5
"""Height of the lawn outside, metres."""


def enclose(dice: Dice, room: Room, things: Things) -> None:
    """Add the room itself, with its door or doorway, window and pictures."""
    openings: list[Opening] = []
    if room.window is not None:
        openings.append(room.opening(room.window))
        things.add("window", _window(dice, room.window))
        things.add("garden", _garden(dice, room.window))
    if dice.chance(0.4):
        openings.append(room.opening(room.door))
        things.add("doorway", [*_frame(room.door), *_next_room(dice, room)])
    else:
        things.add("door", [*_frame(room.door), *_door(dice, room.door)])
    things.add("room", surfaces(dice, room, tuple(openings)))
    for wall in (RIGHT, LEFT, FAR):
        things.add("picture", _pictures(dice, room, wall))


def _frame(hole: Hole) -> list[Solid]:
    white, (w, h) = Material(palette.WHITE), hole.size
    sides = [
        box((x, 0.0, 0.0), (0.07, 0.12, h + 0.07), white, casts=False) for x in (-w / 2, w / 2)
    ]
    top = box((0.0, 0.0, h / 2), (w + 0.14, 0.12, 0.07), white, casts=False)
    return on_wall(hole.wall, hole.middle, [*sides, top])


def _window(dice: Dice, hole: Hole) -> list[Solid]:
    """Return bars, a sill and a frame, with or without curtains on their rail."""
    white, (w, h) = Material(palette.WHITE), hole.size
    parts = [
        box((0.0, 0.02, 0.0), (0.05, 0.05, h), white, casts=False),
        box((0.0, 0.02, h * 0.18), (w, 0.05, 0.04), white, casts=False),
        box((0.0, -0.06, -h / 2), (w + 0.2, 0.2, 0.04), white, casts=False),
    ]
    if dice.chance(0.75):
        parts += _curtains(dice, w, h)
    return on_wall(hole.wall, hole.middle, parts) + _frame(hole)


def _curtains(dice: Dice, width: float, height: float) -> list[Solid]:
    colour = dice.tint(dice.pick(palette.CLOTH), amount=0.1)
    cloth = Material(colour, palette.WHITE, Pattern.STRIPES, size_u=0.14, grain=0.1)
    iron, reach, z = Material(palette.METAL[1]), width / 2 + 0.4, height / 2 + 0.18
    drapes = [
        box((side * (width / 2 + 0.16), -0.1, -0.1), (0.34, 0.06, height + 0.5), cloth, casts=False)
        for side in (-1.0, 1.0)
    ]
    return [*drapes, rod((-reach, -0.1, z), (reach, -0.1, z), 0.015, iron, casts=False)]


def _garden(dice: Dice, window: Hole) -> list[Solid]:
    """Return the lawn, trees and a house beyond the window, as bright as daylight makes them."""
    grass = Material(dice.tint(dice.pick(palette.GRASS)), grain=0.25, grain_m=1.0)
    lawn = Solid(Shape.GROUND, (0.0, 0.0, GARDEN_Z), (1.0, 1.0, 1.0), grass)
    group: list[Solid] = []
    for _ in range(3):
        spot = dice.uniform(-9.0, 9.0), dice.uniform(7.0, 16.0), GARDEN_Z
        group += placed(plants.tree(dice), at=spot)
    spot = dice.uniform(-8.0, 8.0), dice.uniform(17.0, 26.0), GARDEN_Z
    group += placed(house(dice, dice.uniform(9.0, 14.0)), at=spot)
    base = (window.middle[0], window.middle[1], 0.0)
    return [
        replace(solid, material=replace(solid.material, glow=0.6), casts=False)
        for solid in (lawn, *on_wall(window.wall, base, group))
    ]


def _door(dice: Dice, hole: Hole) -> list[Solid]:
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
    return on_wall(hole.wall, hole.middle, parts)


def _next_room(dice: Dice, room: Room) -> list[Solid]:
    """Return the room beyond the doorway: a smaller shell, open where it meets the wall."""
    depth, wide = dice.uniform(1.5, 4.5), dice.uniform(1.6, 3.0)
    wall, (x, y, _) = room.door.wall, room.door.middle
    low, high = (-DOOR[0] / wide, -1.0), (DOOR[0] / wide, 1.0)
    white = Material(palette.WHITE)
    if wall == FAR:
        plan, hole = (wide, depth, SLAB_M), Opening(3, low, high)
        return shell(dice, (x, y + depth / 2), plan, room.height, white, (hole,))
    plan, hole = (depth, wide, SLAB_M), Opening(LEFT if wall == RIGHT else RIGHT, low, high)
    middle = (x + (depth / 2 if wall == RIGHT else -depth / 2), y)
    return shell(dice, middle, plan, room.height, white, (hole,))


def _pictures(dice: Dice, room: Room, wall: int) -> list[Solid]:
    """Hang up to two pictures where there is neither door nor window."""
    solids: list[Solid] = []
    extent, start = (room.width, -room.width / 2) if wall == FAR else (room.length, 0.0)
    taken = room.taken(wall, tall=True)
    for _ in range(dice.count(0, 2)):
        width, height = dice.uniform(0.35, 0.9), dice.uniform(0.3, 0.7)
        along, up = start + dice.uniform(0.12, 0.88) * extent, dice.uniform(1.5, 1.75)
        rim, seed = dice.pick((*palette.WOOD, palette.BLACK)), dice.uniform(1.0, 60.0)
        art = Material(palette.WHITE, rim, Pattern.PICTURE, grain=0.04, seed=seed)
        ends = along - width / 2, along + width / 2
        if any(low < ends[1] and ends[0] < high for low, high in taken):
            continue
        taken.append(ends)
        x = room.width / 2 if wall == RIGHT else -room.width / 2
        at = (along, room.length, up) if wall == FAR else (x, along, up)
        canvas = box((0.0, -0.015, 0.0), (width, 0.03, height), art, casts=False)
        solids += on_wall(wall, at, [canvas])
    return solids
