"""Rooms with furniture, lit by a lamp or a window."""

from ppvd.data.sources.synthetic import furniture, palette, plants
from ppvd.data.sources.synthetic.figures import person
from ppvd.data.sources.synthetic.motion import Sway, carried
from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector
from ppvd.data.sources.synthetic.room import Room, shell
from ppvd.data.sources.synthetic.scene import Camera, Light, Material, Pattern, Scene, Sky, Solid
from ppvd.data.sources.synthetic.shapes import ball, box, placed

QUARTER = TAU / 4


def indoor_scene(dice: Dice, time_s: float) -> Scene:
    """Return a room at ``time_s``; ``dice`` decides everything else."""
    room = Room.draw(dice)
    things: dict[str, list[Solid]] = shell(dice, room)
    _along_walls(dice, room, things)
    _in_the_middle(dice, room, things)
    _moving(dice, room, things, time_s)
    solids = tuple(solid for group in things.values() for solid in group)
    return Scene(
        kind="indoor",
        solids=solids,
        things=tuple(sorted(things)),
        camera=_camera(dice, room, time_s),
        light=_light(dice, room),
        sky=Sky((0.86, 0.90, 0.94), (0.45, 0.62, 0.86), dice.uniform(0.2, 0.6), 160.0, dice.unit()),
    )


def _add(things: dict[str, list[Solid]], name: str, solids: list[Solid]) -> None:
    things.setdefault(name, []).extend(solids)


def _along_walls(dice: Dice, room: Room, things: dict[str, list[Solid]]) -> None:
    """Fill the far wall and both side walls from left to right with what fits."""
    half, length = room.width / 2, room.length
    walls = (
        ((-half + 0.1, half - 0.1), lambda s: ((s, length - 0.02, 0.0), 0.0)),
        ((1.7, length - 1.1), lambda s: ((half - 0.02, s, 0.0), -QUARTER)),
        ((1.7, length - 1.1), lambda s: ((-half + 0.02, s, 0.0), QUARTER)),
    )
    for (cursor, end), spot in walls:
        while True:
            cursor += dice.uniform(0.05, 0.5)
            name, width, depth, solids = _wall_item(dice, room)
            if cursor + width > end:
                break
            (x, y, _), yaw = spot(cursor + width / 2)
            inward = _turned_back(yaw, depth / 2)
            _add(things, name, placed(solids, at=(x + inward[0], y + inward[1], 0.0), yaw=yaw))
            cursor += width


def _turned_back(yaw: float, distance: float) -> tuple[float, float]:
    """Return the step from a wall into the room for furniture turned by ``yaw``."""
    if yaw == 0.0:
        return 0.0, -distance
    return (-distance, 0.0) if yaw < 0.0 else (distance, 0.0)


def _wall_item(dice: Dice, room: Room) -> tuple[str, float, float, list[Solid]]:
    """Return a name, width, depth and solids of something that stands against a wall."""
    kind = dice.count(0, 7)
    if kind == 0:
        width = dice.uniform(1.5, 2.2)
        return "sofa", width, 0.95, furniture.sofa(dice, width)
    if kind in (1, 2):
        width, height = dice.uniform(0.7, 1.4), min(dice.uniform(1.2, 2.2), room.height - 0.2)
        return "bookcase", width, 0.34, furniture.bookcase(dice, width, height)
    if kind == 3:
        width = dice.uniform(0.9, 1.5)
        tv = furniture.television(dice, width * 0.8, 0.55)
        return "television", width, 0.5, [*furniture.cabinet(dice, width, 0.55), *tv]
    if kind == 4:
        width, height = dice.uniform(0.7, 1.2), dice.uniform(0.7, 1.1)
        top = plants.flowers(dice) if dice.chance(0.4) else furniture.table_lamp(dice, 0.0)
        return "cabinet", width, 0.5, [*furniture.cabinet(dice, width, height), *placed(top, at=(0.0, 0.0, height))]
    if kind == 5:
        return "lamp", 0.5, 0.5, furniture.floor_lamp(dice)
    if kind == 6:
        return "plant", 0.7, 0.7, plants.potted_plant(dice, dice.uniform(0.8, 1.6))
    width = dice.pick((1.0, 1.5, 1.7))
    return "bed", width + 0.05, 2.2, furniture.bed(dice, width)


def _in_the_middle(dice: Dice, room: Room, things: dict[str, list[Solid]]) -> None:
    """Put a table with chairs, or a low table on a rug, where there is room for it."""
    free = room.width - 2.3
    spot: Vector = (dice.uniform(-0.3, 0.3), dice.uniform(0.5, 0.62) * room.length, 0.0)
    yaw = dice.uniform(-0.3, 0.3)
    if dice.chance(0.6):
        rug = Material(
            dice.tint(dice.pick(palette.CLOTH), amount=0.1),
            dice.tint(dice.pick(palette.PLASTER)),
            Pattern.RUG,
            size_u=dice.uniform(0.3, 0.6),
            grain=0.12,
            grain_m=0.1,
        )
        _add(things, "rug", placed([box((0.0, 0.0, 0.002), (2.2, 1.6, 0.004), rug, casts=False)], at=spot, yaw=yaw))
    if free < 0.7 or dice.chance(0.2):
        return
    wood = furniture.wooden(dice)
    low = dice.chance(0.4)
    width, depth = min(free, dice.uniform(0.8, 1.6)), dice.uniform(0.6, 0.9)
    height = dice.uniform(0.38, 0.5) if low else dice.uniform(0.7, 0.78)
    group = furniture.table(dice, width, depth, height, wood)
    group += furniture.crockery(dice, height, (width * 0.4, depth * 0.35))
    if dice.chance(0.4):
        group += placed(plants.flowers(dice), at=(0.0, 0.0, height))
    _add(things, "table", placed(group, at=spot, yaw=yaw))
    if not low:
        _add(things, "chair", placed(furniture.chairs_around(dice, width, depth), at=spot, yaw=yaw))


def _moving(dice: Dice, room: Room, things: dict[str, list[Solid]], time_s: float) -> None:
    """Add what moves: someone who walks to and fro, or a ball; a lamp that swings."""
    aisle = dice.uniform(0.3, 0.38) * room.length
    reach = room.width / 2 - 1.1
    walk = Sway.draw(dice, reach, period_s=(4.0, 8.0))
    if dice.chance(0.35) and aisle > 1.7:
        ahead = walk.at(time_s + 0.05) > walk.at(time_s)
        figure = person(dice, stride=walk.at(time_s) / 1.3)
        yaw = -QUARTER if ahead else QUARTER
        _add(things, "person", placed(figure, at=(walk.at(time_s), aisle, 0.0), yaw=yaw))
    else:
        radius = dice.uniform(0.09, 0.2)
        paint = Material(dice.pick(palette.CAR), palette.WHITE, Pattern.STRIPES, size_u=radius)
        _add(things, "ball", [ball((walk.at(time_s), aisle, radius), (radius, radius, radius), paint)])
    if dice.chance(0.45):
        swing = Sway.draw(dice, 0.1, period_s=(2.0, 3.0)).at(time_s)
        lamp = furniture.pendant(dice, room.height, swing=swing)
        _add(things, "pendant", placed(lamp, at=(room.lamp[0], room.lamp[1], 0.0)))


def _camera(dice: Dice, room: Room, time_s: float) -> Camera:
    x = dice.uniform(-0.5, 0.5) * (room.width - 1.6)
    position = x, dice.uniform(0.45, 0.8), dice.uniform(1.0, 1.75)
    towards = 0.5 * x / room.length + dice.uniform(-0.3, 0.3)
    still = Camera(position, towards, dice.uniform(-0.24, 0.0), dice.uniform(-0.03, 0.03), dice.uniform(68.0, 98.0))
    return carried(dice, still, time_s, reach_m=(0.3, 0.3, 0.1))


def _light(dice: Dice, room: Room) -> Light:
    """Light from the lamp under the ceiling, or white daylight from the window."""
    strength = dice.uniform(0.5, 0.85)
    if room.window is not None and dice.chance(0.5):
        x, y, z = room.window
        spot = (x * 0.9, min(y, room.length - 0.25), min(z + 0.5, room.height - 0.1))
        return Light(spot, (strength, strength, strength * 0.97), (0.46, 0.48, 0.52), 3.5, 0.6, 0.75)
    return Light(room.lamp, (strength, strength * 0.94, strength * 0.82), (0.46, 0.44, 0.40), 3.0, 0.6, 0.75)
