"""Sweeps: many trainings over a space of settings, shared by workers that may die."""

from ppvd.sweep.space import Sweep, read_sweep
from ppvd.sweep.study import SharedStudy
from ppvd.sweep.trials import TrialCommand, work

__all__ = ["SharedStudy", "Sweep", "TrialCommand", "read_sweep", "work"]
