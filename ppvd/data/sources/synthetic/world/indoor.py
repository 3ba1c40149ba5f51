"""Rooms with furniture, lit by a lamp or a window."""

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector
from ppvd.data.sources.synthetic.scene import Camera, Light, Material, Pattern, Scene, Sky, Solid
from ppvd.data.sources.synthetic.world import furniture, palette, plants
from ppvd.data.sources.synthetic.world.crockery import crockery
from ppvd.data.sources.synthetic.world.figures import person
from ppvd.data.sources.synthetic.world.holes import enclose
from ppvd.data.sources.synthetic.world.lamps import pendant
from ppvd.data.sources.synthetic.world.motion import Sway, carried
from ppvd.data.sources.synthetic.world.room import Room
from ppvd.data.sources.synthetic.world.shapes import ball, box, placed
from ppvd.data.sources.synthetic.world.things import Things
from ppvd.data.sources.synthetic.world.walls import furnish_walls

TABLE_AT = 0.6
"""Where a table stands, as a share of the room's length."""


def indoor_scene(dice: Dice, time_s: float) -> Scene:
    """Return a room at ``time_s``; ``dice`` decides everything else."""
    room, things = Room.draw(dice), Things()
    enclose(dice, room, things)
    furnish_walls(dice, room, things)
    _furnish_middle(dice, room, things)
    _add_moving(dice, room, things, time_s)
    camera, light = _camera(dice, room, time_s), _light(dice, room)
    clouds, seed = dice.uniform(0.2, 0.6), dice.unit()
    sky = Sky((0.86, 0.90, 0.94), (0.45, 0.62, 0.86), clouds, 160.0, seed)
    return Scene("indoor", things.solids, things.names, camera, light, sky)


def _furnish_middle(dice: Dice, room: Room, things: Things) -> None:
    """Put a rug, a table with chairs or a low table, where there is room for it."""
    free = room.width - 2.3
    at, yaw = (dice.uniform(-0.3, 0.3), TABLE_AT * room.length, 0.0), dice.uniform(-0.3, 0.3)
    if dice.chance(0.6):
        things.place("rug", [_rug(dice)], at=at, yaw=yaw)
    if free < 0.7 or "bed" in things or dice.chance(0.15):
        return
    low, wood = dice.chance(0.4), furniture.wooden(dice)
    width, depth = min(free, dice.uniform(0.8, 1.6)), dice.uniform(0.6, 0.9)
    height = dice.uniform(0.38, 0.5) if low else dice.uniform(0.7, 0.78)
    group = furniture.table(dice, width, depth, height, wood)
    group += crockery(dice, height, (width * 0.4, depth * 0.35))
    if dice.chance(0.4):
        group += placed(plants.flowers(dice), at=(0.0, 0.0, height))
    things.place("table", group, at=at, yaw=yaw)
    if not low:
        things.place("chair", furniture.chairs_around(dice, width, depth), at=at, yaw=yaw)


def _rug(dice: Dice) -> Solid:
    ground = dice.tint(dice.pick(palette.CLOTH), amount=0.1)
    thread = dice.tint(dice.pick(palette.PLASTER))
    cell = dice.uniform(0.3, 0.6)
    weave = Material(ground, thread, Pattern.RUG, size_u=cell, grain=0.12, grain_m=0.1)
    return box((0.0, 0.0, 0.002), (2.2, 1.6, 0.004), weave, casts=False)


def _add_moving(dice: Dice, room: Room, things: Things, time_s: float) -> None:
    """Add someone who walks to and fro or a ball that rolls, and at times a lamp that swings."""
    aisle = TABLE_AT * room.length - dice.uniform(1.1, 1.4)
    walk = Sway.draw(dice, room.width / 2 - 1.1, period_s=(4.0, 8.0))
    x = walk.at(time_s)
    if dice.chance(0.45) and aisle > 2.0:
        ahead = walk.at(time_s + 0.05) > x
        yaw = -TAU / 4 if ahead else TAU / 4
        things.place("person", person(dice, stride=x / 1.3), at=(x, aisle, 0.0), yaw=yaw)
    else:
        things.add("ball", [_toy_ball(dice, x, aisle)])
    if dice.chance(0.45):
        swing = Sway.draw(dice, 0.1, period_s=(2.0, 3.0)).at(time_s)
        at: Vector = (room.lamp[0], room.lamp[1], 0.0)
        things.place("pendant", pendant(dice, room.height, swing=swing), at=at)


def _toy_ball(dice: Dice, x: float, y: float) -> Solid:
    radius = dice.uniform(0.09, 0.2)
    paint = Material(dice.pick(palette.CAR), palette.WHITE, Pattern.STRIPES, size_u=radius)
    return ball((x, y, radius), (radius, radius, radius), paint)


def _camera(dice: Dice, room: Room, time_s: float) -> Camera:
    """Stand near the wall behind, at the height of a child or a grown-up."""
    x = dice.uniform(-0.5, 0.5) * (room.width - 1.6)
    position = x, dice.uniform(0.45, 0.8), dice.uniform(1.0, 1.75)
    yaw, pitch = 0.5 * x / room.length + dice.uniform(-0.3, 0.3), dice.uniform(-0.24, 0.0)
    roll, view = dice.uniform(-0.03, 0.03), dice.uniform(68.0, 98.0)
    still = Camera(position, yaw, pitch, roll, view)
    return carried(dice, still, time_s, reach_m=(0.3, 0.3, 0.1))


def _light(dice: Dice, room: Room) -> Light:
    """Light from the lamp under the ceiling, or white daylight from the window."""
    level = dice.uniform(0.5, 0.85)
    if room.window is not None and dice.chance(0.5):
        x, y, z = room.window.middle
        spot = x * 0.9, min(y, room.length - 0.25), min(z + 0.5, room.height - 0.1)
        white, dome = (level, level, level * 0.97), (0.46, 0.48, 0.52)
        return Light(spot, white, dome, shadow=0.7, bounce=0.75, reach_m=3.5)
    warm, dome = (level, level * 0.94, level * 0.82), (0.46, 0.44, 0.40)
    return Light(room.lamp, warm, dome, shadow=0.7, bounce=0.75, reach_m=3.0)
