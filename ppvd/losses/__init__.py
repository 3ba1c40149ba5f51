"""Losses, each a module from one training step to a float32 scalar (Eq. 3, 9-11)."""

from ppvd.losses.alignment import FeatureAlignment
from ppvd.losses.code import CodeError
from ppvd.losses.gradient import GradientMatching
from ppvd.losses.step import CodeStep, FlowStep
from ppvd.losses.temporal import TemporalGradient
from ppvd.losses.velocity import VelocityError

__all__ = [
    "CodeError",
    "CodeStep",
    "FeatureAlignment",
    "FlowStep",
    "GradientMatching",
    "TemporalGradient",
    "VelocityError",
]
