"""What moves in a street."""

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector
from ppvd.data.sources.synthetic.world import vehicles
from ppvd.data.sources.synthetic.world.figures import person
from ppvd.data.sources.synthetic.world.motion import along_lane
from ppvd.data.sources.synthetic.world.profile import Profile
from ppvd.data.sources.synthetic.world.things import Things

LANE_X = 1.6
"""Middle of a lane, metres from the middle of the road."""
LANE = (-25.0, 130.0)
"""Stretch of road on which cars drive, metres."""


def drive_cars(dice: Dice, things: Things, time_s: float) -> None:
    """Drive one to three cars each way, on the right."""
    for side in (-1.0, 1.0):
        speed = dice.uniform(4.0, 9.0)
        for i in range(dice.count(1, 3)):
            name, build = vehicles.any_vehicle(dice)
            start = dice.uniform(7.0, 18.0) + 21.0 * i
            y = along_lane(start, side * speed, time_s, low=LANE[0], high=LANE[1])
            yaw = 0.0 if side > 0.0 else TAU / 2
            things.place(name, build(dice), at=(side * LANE_X, y, 0.0), yaw=yaw)


def walk_people(dice: Dice, profile: Profile, things: Things, time_s: float) -> None:
    """Walk one to five people along the street; the first may cross it."""
    for i in range(dice.count(1, 5)):
        pace, phase = dice.uniform(0.9, 1.6), dice.unit()
        walk = _across if i == 0 and dice.chance(0.4) else _along
        at, yaw = walk(dice, profile, pace, time_s)
        figure = person(dice, stride=time_s * pace / 1.4 + phase)
        things.place("person", figure, at=at, yaw=yaw)


def _across(dice: Dice, profile: Profile, pace: float, time_s: float) -> tuple[Vector, float]:
    reach = profile.walk + 1.0
    x = along_lane(dice.uniform(-4.0, 4.0), pace, time_s, low=-reach, high=reach)
    return (x, dice.uniform(7.0, 14.0), 0.0), -TAU / 4


def _along(dice: Dice, profile: Profile, pace: float, time_s: float) -> tuple[Vector, float]:
    side, ahead = dice.sign(), dice.sign()
    y = along_lane(dice.uniform(3.5, 30.0), ahead * pace, time_s, low=2.5, high=60.0)
    widest = max(profile.walk - profile.road - 0.3, 1.4)
    x = side * (profile.road + dice.uniform(1.25, widest))
    return (x, y, 0.0), 0.0 if ahead > 0.0 else TAU / 2
