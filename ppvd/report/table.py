"""Ours beside the paper's."""

from collections.abc import Sequence
from dataclasses import dataclass

from ppvd.report.paper import SCALE, Column, PaperTable
from ppvd.report.results import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of a table: a name, a number a column, and whether it is ours."""

    name: str
    values: tuple[float | None, ...]
    group: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTable:
    """A table to be printed.

    Attributes:
        title: What it shows.
        columns: Its columns.
        lines: The paper's rows, then ours.
        notes: By which protocols our numbers were made, and what is not comparable.
    """

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]

    def best(self, index: int) -> float | None:
        """Return the best number of a column, as printed."""
        column = self.columns[index]
        texts = [column.text(line.values[index]) for line in self.lines]
        numbers = [float(text) for text in texts if text != "-"]
        if not numbers:
            return None
        return min(numbers) if column.better == "less" else max(numbers)

    def cells(self, line: Line) -> list[tuple[str, bool]]:
        """Return the numbers of a row as text, each with whether it is the best."""
        texts = [c.text(value) for c, value in zip(self.columns, line.values, strict=True)]
        return [(text, text != "-" and float(text) == self.best(i)) for i, text in enumerate(texts)]


def beside_paper(paper: PaperTable, results: Sequence[Result]) -> ReportTable:
    """Return a table of the paper with rows for our results."""
    theirs = [Line(name=r.name, values=r.values, group=r.group) for r in paper.rows]
    ours = [_line(result, paper.columns) for result in results]
    notes = [note for result in results for note in _notes(result, paper)]
    return ReportTable(
        title=paper.title,
        columns=paper.columns,
        lines=tuple([*theirs, *ours]),
        notes=tuple(notes),
    )


def own_table(results: Sequence[Result], scores: Sequence[str]) -> ReportTable:
    """Return a table of our results alone, with a column for each data set and score."""
    named = list(dict.fromkeys(name for result in results for name in result.benchmarks))
    columns = tuple(_column(name, score) for name in named for score in scores)
    lines = tuple(_line(result, columns) for result in results)
    notes = [f"{r.name}, {name}: {r.protocol(name)}" for r in results for name in r.benchmarks]
    return ReportTable(title="Results", columns=columns, lines=lines, notes=tuple(notes))


def _column(benchmark: str, score: str) -> Column:
    percent = score.startswith(("abs_rel", "delta"))
    return Column(
        benchmark=benchmark,
        label=f"{benchmark} {score}",
        score=score,
        unit="percent" if percent else "metres",
        better="more" if score.startswith("delta") else "less",
    )


def _line(result: Result, columns: Sequence[Column]) -> Line:
    numbers = [result.number(column.benchmark, column.score) for column in columns]
    values = [
        None if number is None else number * SCALE[column.unit]
        for number, column in zip(numbers, columns, strict=True)
    ]
    return Line(name=result.name, values=tuple(values), ours=True)


def _notes(result: Result, paper: PaperTable) -> list[str]:
    names = [column.benchmark for column in paper.columns if column.benchmark]
    shown = [name for name in dict.fromkeys(names) if name in result.benchmarks]
    notes = []
    for name in shown:
        protocol = result.protocol(name)
        other = not protocol.startswith(f"{paper.protocol}/")
        remark = f"; the paper's is {paper.protocol}: not comparable" if other else ""
        notes.append(f"{result.name}, {name}: {protocol}{remark}")
    return notes
