"""Noticing that predictions run the wrong way, or are in another unit than was said."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ppvd.protocols import Unit

SPACES = ("depth", "disparity", "log")
# Share of the variance by which another space must explain the truth better to be named (ours).
MARGIN = 0.1
MAX_FACTOR = 3.0
FACTORS = {
    1000.0: "millimetres",
    100.0: "centimetres",
    256.0: "steps of 1/256 m",
    5000.0: "steps of 1/5000 m",
    1e-3: "kilometres",
    0.3048: "units of feet",
}


@dataclass
class Suspicions:
    """Compares predictions with truth before any alignment.

    Codes of our own networks are above suspicion: what they mean is known, however bad they are.

    Args:
        unit: What the predictions are said to be.
    """

    unit: Unit
    correlations: list[dict[str, float]] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)

    def add(self, prediction: Tensor, depth: Tensor, valid: Tensor) -> None:
        """Look at the samples of a batch, ``(B, [T,] 1, H, W)`` each."""
        for one, truth, mask in zip(prediction, depth, valid, strict=True):
            p, g = one[mask].double(), truth[mask].double()
            if len(p) < 10 or not bool((p != p[0]).any()):
                continue
            targets = {"depth": g, "disparity": g.reciprocal(), "log": g.log1p()}
            self.correlations.append({name: _correlation(p, t) for name, t in targets.items()})
            ratio = (p.clamp_min(1e-12) / g).log().median().exp()
            self.factors.append(float(ratio))

    def complaint(self) -> str | None:
        """Return what makes the scores worthless, as a sentence; None if nothing does."""
        if self.unit.signed or not self.correlations:
            return None
        own = np.array([one[self.unit.space] for one in self.correlations])
        if np.mean(own < 0.0) > 0.5:
            other = "depth" if self.unit.space == "disparity" else "disparity"
            grow = "grow" if self.unit.space == "disparity" else "fall"
            return (
                f"predictions run the wrong way: they are said to be {self.unit} but {grow} with "
                f"depth in {np.mean(own < 0.0):.0%} of the samples: say --unit {other}"
            )
        factor = float(np.median(self.factors))
        if self.unit.metric and not 1 / MAX_FACTOR < factor < MAX_FACTOR:
            return (
                f"predictions must be metres, but are about {factor:.4g} times the truth"
                f"{_named(factor)}: convert them, or let them be aligned (--unit depth)"
            )
        return None

    def remark(self) -> str | None:
        """Return a sentence if another unit explains the predictions clearly better."""
        if self.unit.signed or self.unit.metric or not self.correlations:
            return None
        shares = {n: np.mean([one[n] ** 2 for one in self.correlations]) for n in SPACES}
        best = max(shares, key=lambda name: shares[name])
        if shares[best] < shares[self.unit.space] + MARGIN:
            return None
        return (
            f"predictions are said to be {self.unit}, which explains {shares[self.unit.space]:.0%} "
            f"of their variance; {best} explains {shares[best]:.0%}"
        )


def _correlation(a: Tensor, b: Tensor) -> float:
    table = torch.corrcoef(torch.stack([a, b]))
    value = float(table[0, 1])
    return value if value == value else 0.0


def _named(factor: float) -> str:
    nearest = min(FACTORS, key=lambda known: abs(np.log(known / factor)))
    near = abs(np.log(nearest / factor)) < np.log(1.3)
    return f", which looks like {FACTORS[nearest]}" if near else ""
