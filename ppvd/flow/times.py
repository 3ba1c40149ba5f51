"""Path times: random ones to train on, decreasing grids to sample on."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

RELEASED_TIMESTEPS = 1000
"""Integer steps between data and noise in the released code."""

MAX_RELEASED_STEPS = 667
"""With more steps the released rounding reaches 0 before the last network call."""


@dataclass(frozen=True)
class UniformTimes:
    """Training times drawn uniformly from [0, 1)."""

    def __call__(
        self,
        batch_size: int,
        *,
        device: torch.device | str = "cpu",
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw ``batch_size`` times, float32, ``(B,)``, from ``generator`` of that device."""
        return torch.rand(batch_size, device=device, generator=generator)


@dataclass(frozen=True)
class LogitNormalTimes:
    """Training times ``sigmoid(loc + scale * n)`` with standard normal ``n``.

    The released code draws these with ``loc = 0`` and ``scale = 1``, then rounds them to
    thousandths; ours stay continuous, as the paper's ``t`` in [0, 1].

    Args:
        loc: Mean of the logit; above 0 prefers noise.
        scale: Standard deviation of the logit, above 0.

    Raises:
        ValueError: If ``scale`` is not above 0.
    """

    loc: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"scale must be above 0, got {self.scale}")

    def __call__(
        self,
        batch_size: int,
        *,
        device: torch.device | str = "cpu",
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw ``batch_size`` times, float32, ``(B,)``, from ``generator`` of that device."""
        normal = torch.randn(batch_size, device=device, generator=generator)
        return torch.sigmoid(self.loc + self.scale * normal)


TimeGrid = Callable[[int], tuple[float, ...]]
"""Number of steps to the ``num_steps + 1`` times that bound them, from 1.0 down to 0.0."""


def uniform_grid(num_steps: int) -> tuple[float, ...]:
    """Return ``num_steps`` equal steps from 1.0 to 0.0.

    Raises:
        ValueError: If ``num_steps`` is below 1.
    """
    _require_steps(num_steps)
    return tuple(1 - step / num_steps for step in range(num_steps + 1))


def shifted_grid(num_steps: int, shift: float) -> tuple[float, ...]:
    """Return the uniform grid under ``t -> t / (t + (1 - t) / shift)``.

    Args:
        num_steps: Number of steps.
        shift: Above 1 stays longer near the noise, below 1 near the data; 1 is uniform.

    Raises:
        ValueError: If ``num_steps`` is below 1 or ``shift`` not above 0.
    """
    if not shift > 0:
        raise ValueError(f"shift must be above 0, got {shift}")
    return tuple(time / (time + (1 - time) / shift) for time in uniform_grid(num_steps))


def released_grid(num_steps: int) -> tuple[float, ...]:
    """Return the times at which the released sampler stands, then 0.0.

    Thousandths of ``round(arange(1000, -1, -1001 / num_steps))``: four steps are 1, .75, .5,
    .249, 0. For some counts (29, 49, 58, ...) float error makes the released grid one entry
    longer, with a network call at -1; that entry is left out here.

    Args:
        num_steps: Number of steps, at most 667.

    Raises:
        ValueError: If ``num_steps`` is not in 1..667.
    """
    _require_steps(num_steps)
    if num_steps > MAX_RELEASED_STEPS:
        raise ValueError(
            f"num_steps must be at most {MAX_RELEASED_STEPS} on the released grid, got "
            f"{num_steps}: beyond it the grid reaches 0 before its last step; use uniform_grid"
        )
    # The very expression of the released code: exact arithmetic rounds some ties differently.
    stride = (RELEASED_TIMESTEPS + 1) / num_steps
    steps = torch.arange(RELEASED_TIMESTEPS, -1, -stride, dtype=torch.float32, device="cpu")
    times = (steps.round() / RELEASED_TIMESTEPS).double().tolist()
    return (*(round(time, 3) for time in times if time >= 0), 0.0)


def require_descent(times: tuple[float, ...]) -> None:
    """Raise unless ``times`` decreases strictly from 1.0 to 0.0.

    Raises:
        ValueError: If it does not.
    """
    if len(times) < 2 or times[0] != 1.0 or times[-1] != 0.0:
        raise ValueError(f"times must run from 1.0 to 0.0, got {times}")
    if any(later >= earlier for earlier, later in pairwise(times)):
        raise ValueError(f"times must decrease strictly, got {times}")


def _require_steps(num_steps: int) -> None:
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")
