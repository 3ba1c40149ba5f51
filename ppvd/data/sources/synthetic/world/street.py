"""Streets along +y, from a country road to a row of town houses."""

from dataclasses import dataclass

from ppvd.data.sources.synthetic.portable import TAU, Dice, cosine, sine
from ppvd.data.sources.synthetic.scene import Camera, Material, Pattern, Scene, Shape, Solid
from ppvd.data.sources.synthetic.world import buildings, palette, plants, roadside
from ppvd.data.sources.synthetic.world.kerbside import line_kerb
from ppvd.data.sources.synthetic.world.motion import carried
from ppvd.data.sources.synthetic.world.profile import Profile
from ppvd.data.sources.synthetic.world.shapes import ball
from ppvd.data.sources.synthetic.world.things import Things
from ppvd.data.sources.synthetic.world.traffic import drive_cars, walk_people
from ppvd.data.sources.synthetic.world.weather import weather


@dataclass(frozen=True, slots=True)
class Lot:
    """A stretch of one side of the street.

    Attributes:
        side: -1.0 on the left, 1.0 on the right.
        middle: Its middle along y, metres.
        width: Its extent along y, metres.
    """

    side: float
    middle: float
    width: float


def street_scene(dice: Dice, time_s: float) -> Scene:
    """Return a street at ``time_s``; ``dice`` decides everything else."""
    profile, things = Profile.draw(dice), Things()
    things.add("road", [_ground(dice, profile)])
    things.add("hill", _hills(dice))
    for side in (-1.0, 1.0):
        _fill_lots(dice, profile, side, things)
        line_kerb(dice, profile, side, things)
    drive_cars(dice, things, time_s)
    walk_people(dice, profile, things, time_s)
    light, sky = weather(dice)
    camera = _camera(dice, profile, time_s)
    return Scene("street", things.solids, things.names, camera, light, sky)


def _ground(dice: Dice, profile: Profile) -> Solid:
    paint = Material(
        dice.tint(dice.pick(palette.GRASS)),
        dice.tint(dice.pick(palette.ASPHALT), amount=0.03),
        Pattern.STREET,
        size_u=profile.road,
        size_v=profile.walk - profile.road,
        grain=0.14,
        grain_m=0.35,
        seed=dice.unit(),
    )
    return Solid(Shape.GROUND, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), paint, casts=False)


def _hills(dice: Dice) -> list[Solid]:
    """Return wooded ridges all around, which hide the horizon of the ground."""
    solids, count = [], 11
    for i in range(count):
        angle = (i + dice.uniform(0.0, 0.6)) * TAU / count
        far, wide = dice.uniform(170.0, 300.0), dice.uniform(75.0, 130.0)
        rise = dice.uniform(9.0, 34.0)
        colour = dice.tint(dice.pick((*palette.GRASS, *palette.CONIFER)))
        paint = plants.foliage(dice, colour, blot_m=6.0)
        spot = far * cosine(angle), far * sine(angle), -2.0
        solids.append(ball(spot, (wide, wide, rise), paint, casts=False))
    return solids


def _fill_lots(dice: Dice, profile: Profile, side: float, things: Things) -> None:
    """Fill one side of the street lot by lot: a house or trees, and what bounds it."""
    y = dice.uniform(-14.0, -6.0)
    while y < 95.0:
        width = dice.uniform(7.5, 13.0)
        lot = Lot(side, y + width / 2, width)
        if dice.chance(profile.density):
            _build(dice, profile, lot, things)
        elif y < 70.0:
            _plant(dice, profile, lot, things)
        if profile.has_gardens and y < 60.0:
            _enclose(dice, profile, lot, things)
        gap = dice.uniform(1.0, 5.0) if profile.has_gardens else dice.pick((0.05, 0.05, 2.5))
        y += width + gap


def _build(dice: Dice, profile: Profile, lot: Lot, things: Things) -> None:
    build = buildings.block if profile.tall and dice.chance(0.5) else buildings.house
    at = (lot.side * profile.front, lot.middle, 0.0)
    things.place("house", build(dice, lot.width), at=at, yaw=-lot.side * TAU / 4)


def _plant(dice: Dice, profile: Profile, lot: Lot, things: Things) -> None:
    kinds = (("tree", plants.tree), ("conifer", plants.conifer), ("bush", plants.bush))
    for _ in range(dice.count(1, 2)):
        name, grow = dice.pick(kinds)
        x = lot.side * (profile.front + 2.0) + dice.uniform(-2.0, 2.0)
        things.place(name, grow(dice), at=(x, lot.middle + dice.uniform(-3.0, 3.0), 0.0))


def _enclose(dice: Dice, profile: Profile, lot: Lot, things: Things) -> None:
    """Set a fence, hedge or wall along the street, and at times a bush behind it."""
    kinds = (
        ("fence", roadside.picket_fence),
        ("fence", roadside.rail_fence),
        ("hedge", plants.hedge),
        ("wall", buildings.brick_wall),
    )
    name, build = dice.pick(kinds)
    if dice.chance(0.75):
        at = (lot.side * (profile.walk + 0.35), lot.middle, 0.0)
        things.place(name, build(dice, lot.width * 0.92), at=at, yaw=TAU / 4)
    if dice.chance(0.35):
        x = lot.side * (profile.walk + 1.9)
        things.place("bush", plants.bush(dice), at=(x, lot.middle + dice.uniform(-3.0, 3.0), 0.0))


def _camera(dice: Dice, profile: Profile, time_s: float) -> Camera:
    """Stand between the lanes, at the kerb or on the pavement; at times high above it."""
    side, walk = dice.sign(), max(profile.walk - 0.2, profile.road + 1.0)
    x = dice.pick((dice.uniform(-0.25, 0.25), side * (profile.road + 0.25), side * walk))
    high = dice.chance(0.15)
    z = dice.uniform(3.2, 6.0) if high else dice.uniform(1.2, 2.2)
    pitch = dice.uniform(-0.26, -0.1) if high else dice.uniform(-0.12, 0.09)
    yaw = dice.uniform(-0.45, 0.45) + 0.06 * x
    roll, view = dice.uniform(-0.03, 0.03), dice.uniform(62.0, 96.0)
    still = Camera((x, 0.0, z), yaw, pitch, roll, view)
    return carried(dice, still, time_s, reach_m=(0.12, 1.8, 0.08))
