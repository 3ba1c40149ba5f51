"""Daylight over a street."""

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector, cosine, sine
from ppvd.data.sources.synthetic.scene import Light, Sky

SUN_M = 500.0
"""Distance of the sun: far enough for nearly parallel shadows (ours)."""


def weather(dice: Dice) -> tuple[Light, Sky]:
    """Draw a grey day, an evening or sunshine."""
    kind = dice.unit()
    if kind < 0.22:
        return _grey_day(dice)
    return _evening(dice) if kind < 0.4 else _sunshine(dice)


def _grey_day(dice: Dice) -> tuple[Light, Sky]:
    grey = dice.uniform(0.7, 0.82)
    sky = Sky(
        horizon=(grey, grey, grey + 0.02),
        zenith=(grey - 0.1, grey - 0.09, grey - 0.05),
        clouds=0.75,
        haze_m=dice.uniform(90.0, 200.0),
        seed=dice.unit(),
    )
    light = Light(_sun(dice, 0.9), (0.36, 0.36, 0.36), (0.74, 0.76, 0.80), shadow=0.55, bounce=0.5)
    return light, sky


def _evening(dice: Dice) -> tuple[Light, Sky]:
    sky = Sky(
        horizon=(0.96, 0.78, 0.58),
        zenith=(0.42, 0.52, 0.72),
        clouds=dice.uniform(0.2, 0.5),
        haze_m=dice.uniform(150.0, 300.0),
        seed=dice.unit(),
    )
    light = Light(_sun(dice, 0.38), (1.1, 0.84, 0.56), (0.42, 0.43, 0.52), shadow=0.9, bounce=0.42)
    return light, sky


def _sunshine(dice: Dice) -> tuple[Light, Sky]:
    sky = Sky(
        horizon=(0.80, 0.88, 0.95),
        zenith=(0.30, 0.50, 0.82),
        clouds=dice.uniform(0.1, 0.55),
        haze_m=dice.uniform(180.0, 400.0),
        seed=dice.unit(),
    )
    sun = _sun(dice, dice.uniform(0.5, 1.05))
    return Light(sun, (1.08, 1.02, 0.90), (0.40, 0.44, 0.52), shadow=0.92, bounce=0.42), sky


def _sun(dice: Dice, height: float) -> Vector:
    """Return the sun ``height`` radians above the horizon."""
    turn, flat = dice.uniform(0.0, TAU), SUN_M * cosine(height)
    return flat * cosine(turn), flat * sine(turn), SUN_M * sine(height)
