"""What stands at the kerb and on the pavement."""

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector
from ppvd.data.sources.synthetic.world import plants, roadside, vehicles
from ppvd.data.sources.synthetic.world.profile import Profile
from ppvd.data.sources.synthetic.world.things import Things


def line_kerb(dice: Dice, profile: Profile, side: float, things: Things) -> None:
    """Set posts, trees, signs and parked cars along one side of the road.

    Args:
        dice: What to set.
        profile: The street.
        side: -1.0 on the left, 1.0 on the right.
        things: Where it goes.
    """
    edge = side * (profile.road + 0.45)
    if dice.chance(0.6):
        _lamp_posts(dice, edge, side, things)
    elif dice.chance(0.6):
        start = dice.uniform(2.0, 8.0)
        spots: list[Vector] = [(edge + side * 0.3, start + 18.0 * i, 0.0) for i in range(4)]
        things.add("wire", roadside.wires(dice, spots))
    if dice.chance(0.5):
        for i in range(dice.count(2, 5)):
            y = 9.0 + 11.0 * i + dice.uniform(-3.0, 3.0)
            things.place("tree", plants.tree(dice), at=(edge + side * 0.4, y, 0.0))
    for _ in range(dice.count(0, 2)):
        at, yaw = (edge, dice.uniform(5.0, 30.0), 0.0), dice.uniform(-0.2, 0.2)
        things.place("sign", roadside.traffic_sign(dice), at=at, yaw=yaw)
    if profile.has_pavement:
        _on_pavement(dice, profile, side, things)
        _park_cars(dice, profile, side, things)


def _lamp_posts(dice: Dice, edge: float, side: float, things: Things) -> None:
    post, gap = roadside.lamp_post(dice), dice.uniform(16.0, 26.0)
    for i in range(4):
        at = (edge, 7.0 + dice.uniform(-3.0, 3.0) + i * gap, 0.0)
        things.place("lamp_post", post, at=at, yaw=0.0 if side < 0.0 else TAU / 2)


def _on_pavement(dice: Dice, profile: Profile, side: float, things: Things) -> None:
    back = side * (profile.walk - 0.4)
    if dice.chance(0.35):
        at = (back, dice.uniform(4.0, 20.0), 0.0)
        things.place("bench", roadside.bench(dice), at=at, yaw=-side * TAU / 4)
    for _ in range(dice.count(0, 2)):
        things.place("bin", roadside.litter_bin(dice), at=(back, dice.uniform(4.0, 25.0), 0.0))
    if dice.chance(0.3):
        row = roadside.bollards(dice, dice.count(4, 7), 1.6)
        at = (side * (profile.road + 0.4), dice.uniform(4.0, 12.0), 0.0)
        things.place("bollard", row, at=at)


def _park_cars(dice: Dice, profile: Profile, side: float, things: Things) -> None:
    y = dice.uniform(6.5, 14.0)
    while y < 50.0 and dice.chance(0.6):
        name, build = vehicles.any_vehicle(dice)
        yaw = (0.0 if dice.chance(0.75) else TAU / 2) + dice.uniform(-0.03, 0.03)
        things.place(name, build(dice), at=(side * (profile.road - 0.98), y, 0.0), yaw=yaw)
        y += dice.uniform(6.0, 12.0)
