"""Differences between two results sample by sample, with bootstrap intervals."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from ppvd.metrics import bootstrap_interval
from ppvd.report.results import Result

NUM_DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One score of one data set, second result minus first.

    Attributes:
        benchmark: Name of the data set.
        score: Name of the score.
        first: Mean of the first result over the samples that both have.
        second: Mean of the second.
        low: Lower end of the bootstrap interval of the mean difference.
        high: Upper end.
        values: Difference of each sample, sorted.
        comparable: Whether both were made by one protocol.
    """

    benchmark: str
    score: str
    first: float
    second: float
    low: float
    high: float
    values: tuple[float, ...]
    comparable: bool

    @property
    def mean(self) -> float:
        """Mean difference."""
        return self.second - self.first

    @property
    def differs(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0.0 or self.high < 0.0


def compare_results(first: Result, second: Result, *, scores: tuple[str, ...]) -> list[Difference]:
    """Compare the samples that two results have in common.

    Raises:
        ValueError: If they have no sample and no score in common.
    """
    shared = [name for name in first.benchmarks if name in second.benchmarks]
    found = [_difference(first, second, name, score) for name in shared for score in scores]
    differences = [one for one in found if one is not None]
    if not differences:
        raise ValueError(
            f"{first.name} and {second.name} must have samples and scores in common, got "
            f"{', '.join(first.benchmarks) or 'nothing'} and {', '.join(second.benchmarks)}"
        )
    return differences


def _difference(first: Result, second: Result, benchmark: str, score: str) -> Difference | None:
    a, b = first.scores(benchmark), second.scores(benchmark)
    keys = [key for key in a if key in b]
    pairs = [(a[key].get(score, math.nan), b[key].get(score, math.nan)) for key in keys]
    both = np.array([pair for pair in pairs if not any(map(math.isnan, pair))])
    if not len(both):
        return None
    values = both[:, 1] - both[:, 0]
    low, high = bootstrap_interval(torch.from_numpy(values), num_resamples=NUM_DRAWS)
    return Difference(
        benchmark=benchmark,
        score=score,
        first=float(both[:, 0].mean()),
        second=float(both[:, 1].mean()),
        low=low,
        high=high,
        values=tuple(np.sort(values).tolist()),
        comparable=first.protocol(benchmark) == second.protocol(benchmark),
    )


def comparison_markdown(first: Result, second: Result, differences: list[Difference]) -> str:
    """Return the differences as a table in Markdown."""
    head = f"| score | {first.name} | {second.name} | difference | 95 % interval | samples |"
    rows = [
        f"| {one.benchmark} {one.score}{'' if one.comparable else ' (other protocol)'} "
        f"| {one.first:.5g} | {one.second:.5g} | {one.mean:+.3g}{' *' if one.differs else ''} "
        f"| {one.low:+.3g} to {one.high:+.3g} | {len(one.values)} |"
        for one in differences
    ]
    title = f"### {second.name} against {first.name}"
    note = "\\* the interval of the mean difference over samples leaves out zero"
    return "\n".join([title, "", head, "|---|---:|---:|---:|---:|---:|", *rows, "", note, ""])
