"""Sweeps: many trainings over a space of settings, shared by workers that may die.

It needs Optuna, which the rest of the package does without; so its names are in its modules alone.
"""

__all__: list[str] = []
