"""Furniture along the walls of a room."""

from typing import NamedTuple

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector
from ppvd.data.sources.synthetic.scene import Solid
from ppvd.data.sources.synthetic.world import furniture, lamps, plants
from ppvd.data.sources.synthetic.world.room import FAR, LEFT, RIGHT, Room
from ppvd.data.sources.synthetic.world.shapes import placed
from ppvd.data.sources.synthetic.world.things import Things


class Item(NamedTuple):
    """Furniture that stands against a wall.

    Attributes:
        name: What it looks like.
        width: Along the wall, metres.
        depth: Into the room, metres.
        solids: Its parts, around the origin, with the back at +y.
        tall: Whether it would hide a window.
    """

    name: str
    width: float
    depth: float
    solids: list[Solid]
    tall: bool = False


def furnish_walls(dice: Dice, room: Room, things: Things) -> None:
    """Fill the far wall, then both side walls, from one end to the other."""
    half = room.width / 2 - 0.1
    _fill_wall(dice, room, FAR, (-half, half), things)
    end = room.length - (2.5 if "bed" in things else 1.1)
    for wall in (RIGHT, LEFT):
        _fill_wall(dice, room, wall, (1.7, end), things)


def _fill_wall(
    dice: Dice, room: Room, wall: int, span: tuple[float, float], things: Things
) -> None:
    cursor, end = span
    while cursor < end:
        cursor += dice.uniform(0.05, 0.5)
        item = _draw_item(dice, room, bed=wall == FAR and "bed" not in things)
        last = cursor + item.width
        if last > end:
            return
        taken = room.taken(wall, tall=item.tall)
        blocked = [high for low, high in taken if low < last and cursor < high]
        if not blocked:
            at, yaw = _against(room, wall, cursor + item.width / 2, item.depth / 2 + 0.02)
            things.place(item.name, item.solids, at=at, yaw=yaw)
        cursor = max(blocked) if blocked else last


def _against(room: Room, wall: int, along: float, off: float) -> tuple[Vector, float]:
    """Return the place and turn of furniture ``off`` metres from a wall."""
    if wall == FAR:
        return (along, room.length - off, 0.0), 0.0
    if wall == RIGHT:
        return (room.width / 2 - off, along, 0.0), -TAU / 4
    return (off - room.width / 2, along, 0.0), TAU / 4


def _draw_item(dice: Dice, room: Room, *, bed: bool) -> Item:
    makers = [_sofa, _bookcase, _bookcase, _television, _cabinet, _floor_lamp, _plant]
    make = dice.pick([*makers, _bed, _bed] if bed else makers)
    return make(dice, room)


def _sofa(dice: Dice, _room: Room) -> Item:
    width = dice.uniform(1.5, 2.2)
    return Item("sofa", width, 0.95, furniture.sofa(dice, width))


def _bookcase(dice: Dice, room: Room) -> Item:
    width, height = dice.uniform(0.7, 1.4), min(dice.uniform(1.2, 2.2), room.height - 0.2)
    return Item("bookcase", width, 0.34, furniture.bookcase(dice, width, height), tall=True)


def _television(dice: Dice, _room: Room) -> Item:
    width = dice.uniform(0.9, 1.5)
    stand = furniture.cabinet(dice, width, 0.55)
    screen = furniture.television(dice, width * 0.8, 0.55)
    return Item("television", width, 0.5, [*stand, *screen])


def _cabinet(dice: Dice, _room: Room) -> Item:
    width, height = dice.uniform(0.7, 1.2), dice.uniform(0.7, 1.1)
    on_top = plants.flowers(dice) if dice.chance(0.4) else lamps.table_lamp(dice)
    chest = furniture.cabinet(dice, width, height)
    return Item("cabinet", width, 0.5, [*chest, *placed(on_top, at=(0.0, 0.0, height))])


def _floor_lamp(dice: Dice, _room: Room) -> Item:
    return Item("lamp", 0.5, 0.5, lamps.floor_lamp(dice))


def _plant(dice: Dice, _room: Room) -> Item:
    return Item("plant", 0.7, 0.7, plants.potted_plant(dice, dice.uniform(0.8, 1.6)))


def _bed(dice: Dice, _room: Room) -> Item:
    width = dice.pick((1.0, 1.5, 1.7))
    return Item("bed", width + 0.05, 2.2, furniture.bed(dice, width))
