"""Flow matching in continuous time: path, times and solvers (section III-B, Eq. 1-4)."""

from ppvd.flow.path import (
    MIN_TIME,
    clean_from_velocity,
    interpolate,
    noise_from_velocity,
    velocity,
    velocity_from_clean,
)
from ppvd.flow.solvers import Solver, VelocityField, adams_bashforth2, euler, heun
from ppvd.flow.times import (
    LogitNormalTimes,
    TimeGrid,
    UniformTimes,
    released_grid,
    shifted_grid,
    uniform_grid,
)

__all__ = [
    "MIN_TIME",
    "LogitNormalTimes",
    "Solver",
    "TimeGrid",
    "UniformTimes",
    "VelocityField",
    "adams_bashforth2",
    "clean_from_velocity",
    "euler",
    "heun",
    "interpolate",
    "noise_from_velocity",
    "released_grid",
    "shifted_grid",
    "uniform_grid",
    "velocity",
    "velocity_from_clean",
]
