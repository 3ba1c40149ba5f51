"""What a test has written: its numbers, its card, its scores by sample."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A ``results.json``.

    Attributes:
        name: What it is called in tables.
        folder: Where it lies.
        metrics: Each number by ``test/<benchmark>/<score>``; None where it is no number.
        card: Everything else in the file.
    """

    name: str
    folder: Path
    metrics: dict[str, float | None]
    card: dict[str, Any]

    @property
    def benchmarks(self) -> list[str]:
        """Data sets that were scored."""
        return list(self.card.get("protocols", {}))

    def number(self, benchmark: str | None, score: str) -> float | None:
        """Return a number; without a benchmark the mean over all that have it."""
        names = self.benchmarks if benchmark is None else [benchmark]
        found = [self.metrics.get(f"test/{name}/{score}") for name in names]
        known = [value for value in found if value is not None]
        return math.fsum(known) / len(known) if known else None

    def protocol(self, benchmark: str) -> str:
        """Return name and hash of the protocol of a data set."""
        card = self.card.get("protocols", {}).get(benchmark)
        return "no protocol" if card is None else f"{card['name']} ({card['hash']})"

    def scores(self, benchmark: str) -> dict[str, dict[str, float]]:
        """Return the scores of each sample by its key.

        Raises:
            ValueError: If the table of the data set is missing.
        """
        file = self.folder / "scores" / f"{benchmark}.csv"
        if not file.is_file():
            raise ValueError(f"{file} must be there to compare samples")
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        return {row.pop("key"): {name: _cell(cell) for name, cell in row.items()} for row in rows}


def load_result(path: Path) -> Result:
    """Read the results of a test.

    Args:
        path: The file, or the run's folder, or an experiment's folder, whose newest run is taken.

    Raises:
        ValueError: If there are none.
    """
    file = _find(path)
    document = json.loads(file.read_text(encoding="utf-8"))
    metrics = document.pop("metrics")
    return Result(name=_name(file), folder=file.parent, metrics=metrics, card=document)


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    runs = sorted(path.glob("version_*"), key=_version, reverse=True)
    for folder in (path, *runs):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ValueError(f"{path} must be a {FILE} or a run that has one; ppvd test writes it")


def _version(folder: Path) -> int:
    number = folder.name.removeprefix("version_")
    return int(number) if number.isdigit() else -1


def _name(file: Path) -> str:
    """Name results after the run: experiment and version, or the folder."""
    folder = file.absolute().parent
    if folder.name.startswith("version_"):
        return f"{folder.parent.name}/{folder.name}"
    return folder.name


def _cell(text: str) -> float:
    return float(text) if text else math.nan
