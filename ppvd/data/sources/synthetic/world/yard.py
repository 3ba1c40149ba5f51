"""A walled yard with a few plain solids: what a small network learns within minutes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.scene import Camera, Material, Scene, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.figures import person
from ppvd.data.sources.synthetic.world.motion import Sway, carried
from ppvd.data.sources.synthetic.world.shapes import ball, box, rod
from ppvd.data.sources.synthetic.world.things import Things
from ppvd.data.sources.synthetic.world.weather import weather

NEAR_M = 2.6
"""Nearest distance at which something stands."""

WALK_M, WALK_PERIOD_S = 1.6, (4.0, 7.0)
"""How far a walk leads from the start either way, short of the nearest thing, and in what time."""


@dataclass(frozen=True, slots=True)
class Yard:
    """Extents in metres; the camera stands at y = 0 and looks at the far wall.

    Attributes:
        half_width: Distance of either side wall from the middle.
        length: Distance of the far wall.
        height: Height of the walls.
    """

    half_width: float
    length: float
    height: float

    @classmethod
    def draw(cls, dice: Dice) -> "Yard":
        """Draw a yard from a small to a large one."""
        return cls(dice.uniform(2.8, 5.0), dice.uniform(6.0, 10.0), dice.uniform(1.8, 3.4))


def yard_scene(dice: Dice, time_s: float, *, walks: bool = False) -> Scene:
    """Return a yard at ``time_s``; ``dice`` decides everything else.

    With ``walks`` the camera goes to and fro through it; else it is held in its place.
    """
    yard, things = Yard.draw(dice), Things()
    things.add("ground", [_ground(dice, yard)])
    things.add("wall", _walls(dice, yard))
    _fill(dice, yard, things, time_s)
    light, sky = weather(dice)
    camera = _camera(dice, yard, time_s)
    if walks:
        camera = _walking(dice, camera, time_s)
    return Scene("yard", things.solids, things.names, camera, light, sky)


def _ground(dice: Dice, yard: Yard) -> Solid:
    colour = dice.pick((*palette.GRASS, *palette.SOIL, *palette.ASPHALT))
    paint = Material(dice.tint(colour), grain=0.1, grain_m=0.3, seed=dice.unit())
    size = (2.0 * yard.half_width + 1.0, yard.length + 4.0, 0.2)
    return box((0.0, yard.length / 2.0, -0.1), size, paint, casts=False)


def _walls(dice: Dice, yard: Yard) -> list[Solid]:
    colour = dice.tint(dice.pick((*palette.PLASTER, *palette.BRICK)))
    paint = Material(colour, grain=0.05, grain_m=0.8, seed=dice.unit())
    z, long = yard.height / 2.0, yard.length + 4.0
    return [
        box((0.0, yard.length + 0.15, z), (2.0 * yard.half_width, 0.3, yard.height), paint),
        box((yard.half_width + 0.15, yard.length / 2.0, z), (0.3, long, yard.height), paint),
        box((-yard.half_width - 0.15, yard.length / 2.0, z), (0.3, long, yard.height), paint),
    ]


def _fill(dice: Dice, yard: Yard, things: Things, time_s: float) -> None:
    """Set things in rows, the nearest first, so that none stands in another; one ball rolls."""
    kinds: tuple[tuple[str, Callable[[Dice], list[Solid]]], ...] = (
        ("block", _block),
        ("pillar", _pillar),
        ("cone", _cone),
        ("gate", _gate),
        ("person", lambda dice: person(dice, stride=dice.unit())),
    )
    count = dice.count(2, 4)
    row = (yard.length - 1.2 - NEAR_M) / count
    for i in range(count):
        y = NEAR_M + row * (i + dice.uniform(0.2, 0.8))
        reach = min(0.5 * y, yard.half_width - 1.0)
        name, build = dice.pick(kinds)
        at = (dice.uniform(-reach, reach), y, 0.0)
        things.place(name, build(dice), at=at, yaw=dice.uniform(-0.8, 0.8))
    radius, y = dice.uniform(0.25, 0.7), dice.uniform(NEAR_M, 0.7 * yard.length)
    x = Sway.draw(dice, min(0.5 * y, yard.half_width - 1.0)).at(time_s)
    things.add("ball", [ball((x, y, radius), (radius, radius, radius), _paint(dice))])


def _block(dice: Dice) -> list[Solid]:
    size = dice.uniform(0.7, 1.8), dice.uniform(0.5, 1.0), dice.uniform(0.6, 1.8)
    return [box((0.0, 0.0, size[2] / 2.0), size, _paint(dice))]


def _pillar(dice: Dice) -> list[Solid]:
    return [rod((0.0, 0.0, 0.0), (0.0, 0.0, dice.uniform(0.8, 2.4)), _radius(dice), _paint(dice))]


def _cone(dice: Dice) -> list[Solid]:
    top = (0.0, 0.0, dice.uniform(0.8, 2.0))
    return [rod((0.0, 0.0, 0.0), top, _radius(dice) * 1.5, _paint(dice), end_radius=0.03)]


def _gate(dice: Dice) -> list[Solid]:
    paint, half = _paint(dice), dice.uniform(0.5, 0.9)
    height, thick = dice.uniform(1.4, 2.2), dice.uniform(0.2, 0.35)
    posts = [box((x, 0.0, height / 2.0), (thick, thick, height), paint) for x in (-half, half)]
    beam = box((0.0, 0.0, height + thick / 2.0), (2.0 * half + thick, thick, thick), paint)
    return [*posts, beam]


def _radius(dice: Dice) -> float:
    return dice.uniform(0.3, 0.6)


def _paint(dice: Dice) -> Material:
    return Material(dice.tint(dice.pick(palette.TOY)), grain=0.05, grain_m=0.4, seed=dice.unit())


def _camera(dice: Dice, yard: Yard, time_s: float) -> Camera:
    """Stand at the open end of the yard, at the height of a child or a grown-up."""
    position = dice.uniform(-0.3, 0.3) * yard.half_width, 0.0, dice.uniform(1.1, 1.9)
    yaw, pitch = dice.uniform(-0.15, 0.15), dice.uniform(-0.16, -0.02)
    roll, view = dice.uniform(-0.02, 0.02), dice.uniform(62.0, 78.0)
    still = Camera(position, yaw, pitch, roll, view)
    return carried(dice, still, time_s, reach_m=(0.3, 0.3, 0.1))


def _walking(dice: Dice, camera: Camera, time_s: float) -> Camera:
    x, y, z = camera.position
    walk = Sway(WALK_M, dice.uniform(*WALK_PERIOD_S), dice.unit())
    return replace(camera, position=(x, y + walk.at(time_s), z))
