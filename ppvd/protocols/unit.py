"""In what a prediction is given, and so how it may be aligned."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from ppvd.geometry import Alignment

Space = Literal["log", "depth", "disparity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What a model's numbers mean.

    Args:
        space: In what they are affine: ``log(depth + 1)``, depth or 1 / depth.
        signed: Whether zero means nothing, as in the codes of our networks; if not, numbers below
            zero are as impossible as a negative depth.
        metric: Whether they are metres as they stand; ``space`` is then depth.

    Raises:
        ValueError: If metres are signed, or no depth.
    """

    space: Space
    signed: bool = False
    metric: bool = False

    def __post_init__(self) -> None:
        if self.metric and (self.signed or self.space != "depth"):
            raise ValueError(f"metric must be unsigned depth, got {self.space}")

    def __str__(self) -> str:
        names = {"log": "log(depth + 1)", "depth": "depth", "disparity": "1 / depth"}
        return "metres" if self.metric else f"affine in {names[self.space]}"

    def alignment(self, wanted: Alignment) -> Alignment:
        """Return the alignment that a protocol wants, in the space where it has a meaning.

        Metres can be aligned in any space; everything else only in its own. Limits on the
        prediction, which are those of a positive disparity, are dropped elsewhere.

        Raises:
            ValueError: If ``wanted`` takes predictions as they stand and these are not metres.
        """
        if self.metric:
            return wanted
        if wanted.solver == "none":
            raise ValueError(
                f"predictions must be metres for a protocol without alignment, but are {self}: "
                f"choose a protocol that aligns"
            )
        if wanted.space == self.space and not self.signed:
            return wanted
        return replace(wanted, space=self.space, min_prediction=None, positive_only=False)

    def express(self, prediction: Tensor, space: Space) -> Tensor:
        """Return a prediction in the space where it is aligned; only metres ever change."""
        if not self.metric or space == "depth":
            return prediction
        metres = prediction.double()
        if space == "log":
            return metres.clamp_min(0.0).log1p()
        return metres.clamp_min(torch.finfo(torch.float32).tiny).reciprocal()


LOG_CODE = Unit(space="log", signed=True)
DISPARITY_CODE = Unit(space="disparity", signed=True)
METRES = Unit(space="depth", metric=True)
