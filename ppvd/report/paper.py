"""The tables of the paper, as data."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SCALE = {"percent": 100.0, "metres": 1.0, "seconds": 1.0}
DIGITS = {"percent": 1, "metres": 2, "seconds": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One score of one data set.

    Attributes:
        benchmark: Name of the data set; None is the mean over all.
        label: Head of the column.
        score: Name of the score.
        unit: What the table's numbers are; scores themselves are fractions, metres, seconds.
        better: Which is the better number.
    """

    benchmark: str | None
    label: str
    score: str
    unit: Literal["percent", "metres", "seconds"]
    better: Literal["less", "more"]

    def text(self, value: float | None) -> str:
        """Return a number of the table as the paper prints it; a dash for none."""
        return "-" if value is None else f"{value:.{DIGITS[self.unit]}f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRow:
    """A method and its numbers, one a column; None where the paper has none."""

    name: str
    values: tuple[float | None, ...]
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTable:
    """A table of the paper.

    Attributes:
        title: What it shows.
        protocol: Name that the protocols begin with whose numbers may stand beside it.
        columns: Its columns.
        rows: Its rows.
    """

    title: str
    protocol: str
    columns: tuple[Column, ...]
    rows: tuple[PaperRow, ...]


def load_paper_tables(path: Path) -> dict[str, PaperTable]:
    """Read the tables by their names, ``table1`` to ``table6``.

    Raises:
        ValueError: If the file is missing or a row has not a number for each column.
    """
    if not path.is_file():
        raise ValueError(f"tables of the paper must be in {path}: give --tables FILE")
    document = json.loads(path.read_text(encoding="utf-8"))
    return {name: _table(name, table) for name, table in document["tables"].items()}


def _table(name: str, table: dict) -> PaperTable:  # type: ignore[type-arg]
    columns = tuple(Column(**column) for column in table["columns"])
    rows = tuple(
        PaperRow(name=row["name"], values=tuple(row["values"]), group=row.get("group", ""))
        for row in table["rows"]
    )
    for row in rows:
        if len(row.values) != len(columns):
            raise ValueError(
                f"row {row.name} of {name} must have {len(columns)} numbers, got {len(row.values)}"
            )
    return PaperTable(title=table["title"], protocol=table["protocol"], columns=columns, rows=rows)
