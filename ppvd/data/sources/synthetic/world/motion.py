"""How cameras and things move: smooth functions of time that never leave their bounds."""

from dataclasses import dataclass

from ppvd.data.sources.synthetic.portable import TAU, Dice, sine
from ppvd.data.sources.synthetic.scene import Camera


@dataclass(frozen=True, slots=True)
class Sway:
    """A slow swing with a little tremor on top.

    Attributes:
        reach: Largest distance from the middle.
        period_s: Seconds for one swing.
        phase: Where the swing is at time 0, in turns.
    """

    reach: float
    period_s: float
    phase: float

    @classmethod
    def draw(
        cls, dice: Dice, reach: float, *, period_s: tuple[float, float] = (5.0, 11.0)
    ) -> "Sway":
        """Draw a swing of at most ``reach``."""
        return cls(reach * dice.uniform(0.4, 1.0), dice.uniform(*period_s), dice.unit())

    def at(self, time_s: float) -> float:
        """Return the offset at ``time_s``."""
        turns = time_s / self.period_s + self.phase
        return self.reach * (0.94 * sine(turns * TAU) + 0.06 * sine(turns * 5.0 * TAU))


def carried(
    dice: Dice, camera: Camera, time_s: float, *, reach_m: tuple[float, float, float]
) -> Camera:
    """Return ``camera`` as someone's hands move it at ``time_s``, within ``reach_m`` on x, y, z."""
    shifts = [Sway.draw(dice, reach).at(time_s) for reach in reach_m]
    yaw, pitch, roll = (Sway.draw(dice, reach).at(time_s) for reach in (0.16, 0.04, 0.015))
    x, y, z = (base + shift for base, shift in zip(camera.position, shifts, strict=True))
    return Camera(
        (x, y, z), camera.yaw + yaw, camera.pitch + pitch, camera.roll + roll, camera.view_deg
    )


def along_lane(start_m: float, speed: float, time_s: float, *, low: float, high: float) -> float:
    """Return a position on a lane that begins anew at ``low`` after ``high``."""
    span = high - low
    offset = start_m - low + speed * time_s
    turns = offset / span
    whole = float(int(turns)) - (1.0 if turns < 0.0 else 0.0)
    return low + offset - whole * span
