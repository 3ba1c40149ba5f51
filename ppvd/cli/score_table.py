"""The scores that an evaluation ends with, short enough to be read."""

import math
from collections.abc import Mapping, Sequence

COUNT = "num_"
SETS_BESIDE = 6  # Columns of eleven characters beside names of up to thirty: a line of 100.


def score_table(scores: Mapping[str, float]) -> str:
    """Return a row for each score and a column for each data set.

    Counts that are 0 everywhere, of images without truth and the like, are left out.

    Args:
        scores: Value by ``<stage>/<data set>/<score>``, or by a shorter name.

    Returns:
        Lines; empty without any score. Further data sets follow below each other, six beside.
    """
    columns: dict[str, dict[str, float]] = {}
    for name, value in scores.items():
        place, _, score = name.rpartition("/")
        columns.setdefault(place.partition("/")[2], {})[score] = value
    names = list(columns)
    parts = (names[start : start + SETS_BESIDE] for start in range(0, len(names), SETS_BESIDE))
    return "\n\n".join(_block({name: columns[name] for name in part}) for part in parts)


def _block(columns: Mapping[str, Mapping[str, float]]) -> str:
    names = dict.fromkeys(name for column in columns.values() for name in column)
    rows = [["", *columns]]
    for name in names:
        values = [column.get(name) for column in columns.values()]
        if not name.startswith(COUNT) or any(values):
            rows.append([name, *(_cell(name, value) for value in values)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()


def _cell(name: str, value: float | None) -> str:
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.0f}" if name.startswith(COUNT) else f"{value:.4g}"
