"""Streets, from a country road to a row of town houses, along +y."""

from dataclasses import dataclass

from ppvd.data.sources.synthetic import buildings, palette, plants, roadside, vehicles
from ppvd.data.sources.synthetic.figures import person
from ppvd.data.sources.synthetic.motion import along_lane, carried
from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector, cosine, sine
from ppvd.data.sources.synthetic.scene import Camera, Light, Material, Pattern, Scene, Shape, Sky, Solid
from ppvd.data.sources.synthetic.shapes import ball, placed

QUARTER = TAU / 4
LANE = (-25.0, 130.0)
"""Stretch of road on which cars drive, metres."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The cross-section of a street, metres from the middle of the road.

    Attributes:
        road: Edge of the road.
        walk: Outer edge of the pavement; equal to ``road`` where there is none.
        front: Front of the houses.
        density: Share of lots that carry a house.
        tall: Whether blocks of flats may stand there.
    """

    road: float
    walk: float
    front: float
    density: float
    tall: bool

    @classmethod
    def draw(cls, dice: Dice) -> "Plan":
        """Draw a town street, a suburb or a country road."""
        road = dice.uniform(2.9, 4.4)
        kind = dice.count(0, 2)
        if kind == 0:
            walk = road + dice.uniform(1.8, 3.2)
            return cls(road, walk, walk + dice.uniform(0.0, 0.8), 1.0, dice.chance(0.6))
        if kind == 1:
            walk = road + dice.uniform(1.4, 2.2)
            return cls(road, walk, walk + dice.uniform(3.0, 6.0), 0.85, tall=False)
        return cls(road, road, road + dice.uniform(5.0, 9.0), 0.3, tall=False)


def street_scene(dice: Dice, time_s: float) -> Scene:
    """Return a street at ``time_s``; ``dice`` decides everything else."""
    plan = Plan.draw(dice)
    things: dict[str, list[Solid]] = {"road": [_ground(dice, plan)], "hill": _hills(dice)}
    for side in (-1.0, 1.0):
        _lots(dice, plan, side, things)
        _kerbside(dice, plan, side, things)
    _traffic(dice, plan, things, time_s)
    _people(dice, plan, things, time_s)
    light, sky = _weather(dice)
    return Scene(
        kind="street",
        solids=tuple(solid for group in things.values() for solid in group),
        things=tuple(sorted(things)),
        camera=_camera(dice, plan, time_s),
        light=light,
        sky=sky,
    )


def _add(things: dict[str, list[Solid]], name: str, solids: list[Solid]) -> None:
    things.setdefault(name, []).extend(solids)


def _ground(dice: Dice, plan: Plan) -> Solid:
    paint = Material(
        dice.tint(dice.pick(palette.GRASS)),
        dice.tint(dice.pick(palette.ASPHALT), amount=0.03),
        Pattern.STREET,
        size_u=plan.road,
        size_v=plan.walk - plan.road,
        grain=0.14,
        grain_m=0.35,
        seed=dice.unit(),
    )
    return Solid(Shape.GROUND, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), paint, casts=False)


def _hills(dice: Dice) -> list[Solid]:
    """Return wooded ridges all around, which hide the horizon of the ground."""
    solids = []
    count = 11
    for i in range(count):
        angle = (i + dice.uniform(0.0, 0.6)) * TAU / count
        far, wide = dice.uniform(170.0, 300.0), dice.uniform(75.0, 130.0)
        rise = dice.uniform(9.0, 34.0)
        colour = dice.tint(dice.pick((*palette.GRASS, *palette.CONIFER)))
        paint = plants.foliage(dice, colour, blot_m=6.0)
        spot = far * cosine(angle), far * sine(angle), -2.0
        solids.append(ball(spot, (wide, wide, rise), paint, casts=False))
    return solids


def _lots(dice: Dice, plan: Plan, side: float, things: dict[str, list[Solid]]) -> None:
    """Fill one side of the street lot by lot: a house or trees, and what bounds it."""
    yaw, y = -side * QUARTER, dice.uniform(-14.0, -6.0)
    while y < 95.0:
        width = dice.uniform(7.5, 13.0)
        middle = y + width / 2
        if dice.chance(plan.density):
            build = buildings.block if plan.tall and dice.chance(0.5) else buildings.house
            _add(things, "house", placed(build(dice, width), at=(side * plan.front, middle, 0.0), yaw=yaw))
        elif y < 70.0:
            _grove(dice, (side * (plan.front + 2.0), middle), things)
        if plan.front - plan.walk > 1.5 and y < 60.0:
            _boundary(dice, plan, side, middle, width, things)
        y += width + (dice.uniform(1.0, 5.0) if plan.front - plan.walk > 1.0 else dice.pick((0.05, 0.05, 2.5)))


def _grove(dice: Dice, spot: tuple[float, float], things: dict[str, list[Solid]]) -> None:
    for _ in range(dice.count(1, 2)):
        name, grow = dice.pick((("tree", plants.tree), ("conifer", plants.conifer), ("bush", plants.bush)))
        at = spot[0] + dice.uniform(-2.0, 2.0), spot[1] + dice.uniform(-3.0, 3.0), 0.0
        _add(things, name, placed(grow(dice), at=at))


def _boundary(dice: Dice, plan: Plan, side: float, middle: float, width: float, things: dict[str, list[Solid]]) -> None:
    name, build = dice.pick(
        (
            ("fence", roadside.picket_fence),
            ("fence", roadside.rail_fence),
            ("hedge", plants.hedge),
            ("wall", buildings.brick_wall),
        )
    )
    if dice.chance(0.75):
        at = (side * (plan.walk + 0.35), middle, 0.0)
        _add(things, name, placed(build(dice, width * 0.92), at=at, yaw=QUARTER))
    if dice.chance(0.35):
        at = (side * (plan.walk + 1.9), middle + dice.uniform(-3.0, 3.0), 0.0)
        _add(things, "bush", placed(plants.bush(dice), at=at))


def _kerbside(dice: Dice, plan: Plan, side: float, things: dict[str, list[Solid]]) -> None:
    """Set posts, trees, signs and parked cars along the kerb of one side."""
    edge = side * (plan.road + 0.45)
    inward = 0.0 if side < 0.0 else TAU / 2
    if dice.chance(0.6):
        post, gap = roadside.lamp_post(dice), dice.uniform(16.0, 26.0)
        for i in range(4):
            _add(things, "lamp_post", placed(post, at=(edge, 7.0 + dice.uniform(-3.0, 3.0) + i * gap, 0.0), yaw=inward))
    elif dice.chance(0.6):
        start = dice.uniform(2.0, 8.0)
        spots: list[Vector] = [(edge + side * 0.3, start + 18.0 * i, 0.0) for i in range(4)]
        _add(things, "wire", roadside.wires(dice, spots))
    if dice.chance(0.5):
        for i in range(dice.count(2, 5)):
            at = (edge + side * 0.4, 9.0 + 11.0 * i + dice.uniform(-3.0, 3.0), 0.0)
            _add(things, "tree", placed(plants.tree(dice), at=at))
    for _ in range(dice.count(0, 2)):
        at = (edge, dice.uniform(5.0, 30.0), 0.0)
        _add(things, "sign", placed(roadside.traffic_sign(dice), at=at, yaw=dice.uniform(-0.2, 0.2)))
    if plan.walk > plan.road:
        _pavement(dice, plan, side, things)
    y = dice.uniform(6.5, 14.0)
    while y < 50.0 and dice.chance(0.6):
        name, build = ("van", vehicles.van) if dice.chance(0.2) else ("car", vehicles.car)
        turn = 0.0 if dice.chance(0.75) else TAU / 2
        _add(things, name, placed(build(dice), at=(side * (plan.road - 0.98), y, 0.0), yaw=turn + dice.uniform(-0.03, 0.03)))
        y += dice.uniform(6.0, 12.0)


def _pavement(dice: Dice, plan: Plan, side: float, things: dict[str, list[Solid]]) -> None:
    back = side * (plan.walk - 0.4)
    if dice.chance(0.35):
        at = (back, dice.uniform(4.0, 20.0), 0.0)
        _add(things, "bench", placed(roadside.bench(dice), at=at, yaw=-side * QUARTER))
    for _ in range(dice.count(0, 2)):
        _add(things, "bin", placed(roadside.bin_(dice), at=(back, dice.uniform(4.0, 25.0), 0.0)))
    if dice.chance(0.3):
        row = roadside.bollards(dice, dice.count(4, 7), 1.6)
        _add(things, "bollard", placed(row, at=(side * (plan.road + 0.4), dice.uniform(4.0, 12.0), 0.0)))


def _traffic(dice: Dice, plan: Plan, things: dict[str, list[Solid]], time_s: float) -> None:
    """Drive one to three cars, on the right."""
    for _ in range(dice.count(1, 3)):
        name, build = ("van", vehicles.van) if dice.chance(0.25) else ("car", vehicles.car)
        side, speed = dice.sign(), dice.uniform(4.0, 9.0)
        y = along_lane(dice.uniform(8.0, 60.0), side * speed, time_s, low=LANE[0], high=LANE[1])
        yaw = 0.0 if side > 0.0 else TAU / 2
        _add(things, name, placed(build(dice), at=(side * plan.road * 0.42, y, 0.0), yaw=yaw))


def _people(dice: Dice, plan: Plan, things: dict[str, list[Solid]], time_s: float) -> None:
    """Walk one to five people along the street, and sometimes one across it."""
    for i in range(dice.count(1, 5)):
        pace, phase = dice.uniform(0.9, 1.6), dice.unit()
        if i == 0 and dice.chance(0.4):
            x = along_lane(dice.uniform(-4.0, 4.0), pace, time_s, low=-plan.walk - 1.0, high=plan.walk + 1.0)
            at, yaw = (x, dice.uniform(7.0, 14.0), 0.0), -QUARTER
        else:
            side, ahead = dice.sign(), dice.sign()
            y = along_lane(dice.uniform(3.5, 30.0), ahead * pace, time_s, low=2.5, high=60.0)
            at = (side * (plan.road + 0.9 + dice.uniform(0.0, 0.5)), y, 0.0)
            yaw = 0.0 if ahead > 0.0 else TAU / 2
        stride = time_s * pace / 1.4 + phase
        _add(things, "person", placed(person(dice, stride=stride), at=at, yaw=yaw))


def _camera(dice: Dice, plan: Plan, time_s: float) -> Camera:
    """Stand in the road, at the kerb or on the pavement; sometimes on a balcony or a lorry."""
    side = dice.sign()
    x = dice.pick((dice.uniform(-0.25, 0.25), side * (plan.road - 0.5), side * (plan.walk - 0.1)))
    high = dice.chance(0.15)
    z = dice.uniform(3.2, 6.0) if high else dice.uniform(1.2, 2.2)
    pitch = dice.uniform(-0.26, -0.1) if high else dice.uniform(-0.12, 0.09)
    yaw = dice.uniform(-0.45, 0.45) + 0.06 * x
    still = Camera((x, 0.0, z), yaw, pitch, dice.uniform(-0.03, 0.03), dice.uniform(62.0, 96.0))
    return carried(dice, still, time_s, reach_m=(0.12, 1.8, 0.08))


def _weather(dice: Dice) -> tuple[Light, Sky]:
    """Draw sunshine, an evening or a grey day."""
    kind = dice.unit()
    if kind < 0.22:
        grey = dice.uniform(0.7, 0.82)
        sky = Sky((grey, grey, grey + 0.02), (grey - 0.1, grey - 0.09, grey - 0.05), 0.75, dice.uniform(90.0, 200.0), dice.unit())
        return Light(_sun(dice, 0.9), (0.34, 0.34, 0.34), (0.72, 0.74, 0.78), 0.0, 0.55, 0.5), sky
    if kind < 0.4:
        sky = Sky((0.96, 0.78, 0.58), (0.42, 0.52, 0.72), dice.uniform(0.2, 0.5), dice.uniform(150.0, 300.0), dice.unit())
        return Light(_sun(dice, 0.38), (1.0, 0.78, 0.52), (0.40, 0.41, 0.50), 0.0, 0.9, 0.42), sky
    sky = Sky((0.80, 0.88, 0.95), (0.30, 0.50, 0.82), dice.uniform(0.1, 0.55), dice.uniform(180.0, 400.0), dice.unit())
    return Light(_sun(dice, dice.uniform(0.5, 1.05)), (0.98, 0.93, 0.83), (0.38, 0.42, 0.50), 0.0, 0.92, 0.42), sky


def _sun(dice: Dice, height: float) -> Vector:
    """Return the sun ``height`` radians above the horizon, half a kilometre away."""
    turn = dice.uniform(0.0, TAU)
    flat = 500.0 * cosine(height)
    return flat * cosine(turn), flat * sine(turn), 500.0 * sine(height)
