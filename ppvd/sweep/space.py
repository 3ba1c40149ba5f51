"""What a sweep looks for, and where: read from the ``sweep`` of a recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import islice, product
from math import prod
from typing import Any, Literal

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

SAMPLERS = ("tpe", "random", "grid")
SEED_STRIDE = 100_003  # Seeds of sweeps and numbers of trials do not meet.
Value = float | int | str | bool | None


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A search over settings of a recipe.

    Attributes:
        name: Name of the study, and of its folder.
        metric: What a validation logs and the sweep compares, such as ``val/rooms/abs_rel``.
        space: For each key of the recipe its values: ``{choices: [...]}``, or ``{low: , high: }``
            with ``log: true`` or ``step`` as wished; whole numbers if both ends are.
        direction: ``minimize`` or ``maximize``.
        sampler: ``tpe``, ``random``, or ``grid`` for all combinations.
        num_trials: Trials in all; a grid has no more than its combinations.
        asha: Whether trials that lag behind are ended early (successive halving, asynchronous).
        first_rung: Steps of training before which no trial is ended.
        reduction: Of the trials that come to a rung, one in so many goes on.
        max_retries: How often a trial whose process was killed is begun again.
        seed: Of the sampler.

    Raises:
        ValueError: If a value is none of the allowed ones.
    """

    name: str
    metric: str
    space: Mapping[str, Mapping[str, Any]]
    direction: Literal["minimize", "maximize"] = "minimize"
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    num_trials: int = 16
    asha: bool = False
    first_rung: int = 100
    reduction: int = 3
    max_retries: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        _require("direction", self.direction, ("minimize", "maximize"))
        _require("sampler", self.sampler, SAMPLERS)
        if not self.space:
            raise ValueError("space must name at least one key of the recipe, got none")
        if self.sampler == "grid" and not all("choices" in d for d in self.space.values()):
            raise ValueError("space of a grid must give choices for every key")

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Where the values of each key are drawn from."""
        return {key: _distribution(key, given) for key, given in self.space.items()}

    @property
    def num_planned(self) -> int:
        """Trials in all."""
        if self.sampler != "grid":
            return self.num_trials
        return min(self.num_trials, prod(len(given["choices"]) for given in self.space.values()))

    def build_sampler(self, number: int = 0) -> optuna.samplers.BaseSampler:
        """Build what draws the trial of a number; a grid is not drawn, see ``combinations``."""
        seed = self.seed * SEED_STRIDE + number
        if self.sampler == "tpe":
            return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        return optuna.samplers.RandomSampler(seed=seed)

    @property
    def combinations(self) -> list[dict[str, Value]]:
        """All combinations of a grid, as many as are planned; of other sweeps none."""
        if self.sampler != "grid":
            return []
        values = [given["choices"] for given in self.space.values()]
        every = (dict(zip(self.space, chosen, strict=True)) for chosen in product(*values))
        return list(islice(every, self.num_planned))

    def build_pruner(self) -> optuna.pruners.BasePruner:
        """Build what ends trials early."""
        if not self.asha:
            return optuna.pruners.NopPruner()
        return optuna.pruners.SuccessiveHalvingPruner(
            min_resource=self.first_rung, reduction_factor=self.reduction
        )


def read_sweep(given: object) -> Sweep:
    """Read what a recipe says under ``sweep``.

    Raises:
        ValueError: If a setting is missing, unknown or wrong.
    """
    if not isinstance(given, dict):
        raise ValueError(f"sweep must be a mapping of settings, got {given!r}")
    known = {field.name for field in fields(Sweep)}
    if unknown := sorted(given.keys() - known):
        raise ValueError(f"sweep has no setting {unknown[0]}; it has {', '.join(sorted(known))}")
    if missing := sorted({"name", "metric", "space"} - given.keys()):
        raise ValueError(f"sweep must set {', '.join(missing)}")
    return Sweep(**given)


def _distribution(key: str, given: Mapping[str, Any]) -> BaseDistribution:
    if given.keys() == {"choices"}:
        return CategoricalDistribution(given["choices"])
    if not {"low", "high"} <= given.keys() <= {"low", "high", "log", "step"}:
        raise ValueError(
            f"space of {key} must be {{choices: [...]}} or {{low: , high: , log: , step: }}, "
            f"got {dict(given)}"
        )
    low, high = given["low"], given["high"]
    log, step = bool(given.get("log", False)), given.get("step")
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(float(low), float(high), log=log, step=step)


def _require(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
