"""People-like figures and what they may carry or play with."""

from ppvd.data.sources.synthetic.portable import TAU, Dice, Vector, cosine, sine
from ppvd.data.sources.synthetic.scene import Material, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import ball, rod


def person(dice: Dice, *, stride: float) -> list[Solid]:
    """Return someone upright who faces +y, 1.5 to 1.9 m tall.

    Args:
        dice: Build and clothes.
        stride: Phase of the walk in turns: the legs swing once a turn.
    """
    tall = dice.uniform(1.5, 1.9) / 1.75
    top = Material(
        dice.tint(dice.pick((*palette.CLOTH, *palette.CAR)), amount=0.1), grain=0.1, grain_m=0.1
    )
    below = Material(dice.tint(dice.pick(palette.TROUSERS)), grain=0.1, grain_m=0.1)
    skin, hair = Material(dice.pick(palette.SKIN)), Material(dice.tint(dice.pick(palette.HAIR)))
    shoe = Material(palette.BLACK)
    swing = 0.42 * sine(stride * TAU)
    solids = [
        ball((0.0, 0.0, 1.62), (0.092, 0.105, 0.125), skin),
        ball((0.0, -0.018, 1.665), (0.1, 0.11, 0.1), hair),
        rod((0.0, 0.0, 1.42), (0.0, 0.0, 1.54), 0.05, skin),
        ball((0.0, 0.0, 1.38), (0.21, 0.115, 0.11), top),
        rod((0.0, 0.0, 0.88), (0.0, 0.0, 1.38), 0.165, top, end_radius=0.19),
    ]
    solids[-1] = _flattened(solids[-1], 0.62)
    for side in (-1.0, 1.0):
        solids += _leg(side, side * swing, below, shoe)
        solids += _arm(side, -side * swing, top, skin)
    return [_scaled(solid, tall) for solid in solids]


def _leg(side: float, angle: float, cloth: Material, shoe: Material) -> list[Solid]:
    hip = (side * 0.09, 0.0, 0.92)
    knee = _below(hip, angle, 0.44)
    ankle = _below(knee, angle - 0.35 * max(-angle, 0.0) - 0.1, 0.43)
    foot = (ankle[0], ankle[1] + 0.06, max(ankle[2] - 0.01, 0.045))
    return [
        rod(knee, hip, 0.065, cloth, end_radius=0.085),
        rod(ankle, knee, 0.05, cloth, end_radius=0.065),
        ball(foot, (0.05, 0.13, 0.045), shoe),
    ]


def _arm(side: float, angle: float, cloth: Material, skin: Material) -> list[Solid]:
    shoulder = (side * 0.215, 0.0, 1.41)
    elbow = _below(shoulder, angle, 0.29)
    hand = _below(elbow, angle + 0.35, 0.27)
    return [
        rod(elbow, shoulder, 0.042, cloth, end_radius=0.052),
        rod(hand, elbow, 0.034, cloth, end_radius=0.042),
        ball(hand, (0.04, 0.045, 0.055), skin),
    ]


def _below(start: Vector, angle: float, length: float) -> Vector:
    return start[0], start[1] + length * sine(angle), start[2] - length * cosine(angle)


def _flattened(solid: Solid, share: float) -> Solid:
    half = (solid.half[0], solid.half[1] * share, solid.half[2])
    return Solid(solid.shape, solid.centre, half, solid.material, solid.axes, solid.taper)


def _scaled(solid: Solid, factor: float) -> Solid:
    x, y, z = solid.centre
    a, b, c = solid.half
    centre, half = (x * factor, y * factor, z * factor), (a * factor, b * factor, c * factor)
    return Solid(solid.shape, centre, half, solid.material, solid.axes, solid.taper)
