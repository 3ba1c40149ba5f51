"""Lamps: on the floor, on a table, from the ceiling."""

from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.scene import Material, Solid
from ppvd.data.sources.synthetic.world import palette
from ppvd.data.sources.synthetic.world.shapes import ball, rod


def floor_lamp(dice: Dice) -> list[Solid]:
    """Return a stand lamp with a conical shade."""
    height, metal = dice.uniform(1.35, 1.75), Material(dice.tint(dice.pick(palette.METAL)))
    shade = Material(dice.tint(palette.BULB), glow=0.7, grain=0.04)
    return [
        rod((0.0, 0.0, 0.0), (0.0, 0.0, 0.03), 0.15, metal),
        rod((0.0, 0.0, 0.03), (0.0, 0.0, height - 0.2), 0.014, metal),
        rod((0.0, 0.0, height - 0.28), (0.0, 0.0, height), 0.21, shade, end_radius=0.13),
    ]


def table_lamp(dice: Dice) -> list[Solid]:
    """Return a small lamp for a table top."""
    foot = Material(dice.tint(dice.pick(palette.POT)))
    shade = Material(dice.tint(palette.BULB), glow=0.7, grain=0.04)
    return [
        ball((0.0, 0.0, 0.09), (0.07, 0.07, 0.09), foot),
        rod((0.0, 0.0, 0.15), (0.0, 0.0, 0.24), 0.012, foot),
        rod((0.0, 0.0, 0.22), (0.0, 0.0, 0.4), 0.13, shade, end_radius=0.08),
    ]


def pendant(dice: Dice, ceiling: float, *, swing: float) -> list[Solid]:
    """Return a lamp on a wire, ``swing`` metres out of the plumb line."""
    drop = dice.uniform(0.5, 0.9)
    wire = Material(palette.BLACK)
    shade = Material(
        dice.tint(dice.pick((palette.BULB, palette.CLOTH[1], palette.METAL[1]))), glow=0.25
    )
    bulb = Material(palette.BULB, glow=1.2)
    low = ceiling - drop
    return [
        rod((0.0, 0.0, ceiling), (swing, 0.0, low), 0.008, wire, casts=False),
        rod((swing, 0.0, low - 0.2), (swing, 0.0, low), 0.22, shade, end_radius=0.05, casts=False),
        ball((swing, 0.0, low - 0.2), (0.06, 0.06, 0.06), bulb, casts=False),
    ]
