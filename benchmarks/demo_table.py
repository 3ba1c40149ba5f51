"""The demo's table, from the results that the tests wrote."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = {"scenes": "held-out rendered scenes", "photo": "one real photograph"}
COLUMNS = {
    "abs_rel": "AbsRel",
    "delta1": "delta1",
    "chamfer": "Chamfer m",
    "acc": "acc m",
    "comp": "comp m",
    "seconds_per_image": "s/image",
}


@dataclass(frozen=True)
class Row:
    """One model of the table.

    Attributes:
        title: What the model is called.
        run: Folder with its ``results.json``.
    """

    title: str
    run: Path

    def cells(self, benchmark: str) -> list[str]:
        """Return the values of the columns for a benchmark, three decimals each."""
        metrics = json.loads((self.run / "results.json").read_text())["metrics"]
        return [f"{metrics[f'test/{benchmark}/{name}']:.3f}" for name in COLUMNS]


def markdown(rows: Sequence[Row], benchmark: str) -> str:
    """Return a table in Markdown for one benchmark."""
    head = ["", *COLUMNS.values()]
    body = [[row.title, *row.cells(benchmark)] for row in rows]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join([first, *others])} |"

    rule = f"|{'-' * (widths[0] + 2)}|" + "|".join("-" * (w + 1) + ":" for w in widths[1:]) + "|"
    return "\n".join([line(head), rule, *map(line, body)])


def print_table(rows: Sequence[Row]) -> None:
    """Print a table for each benchmark, with what its numbers mean."""
    for benchmark, title in BENCHMARKS.items():
        print(f"\n{title}\n\n{markdown(rows, benchmark)}")
    print(
        "\nAligned to the truth in log(depth + 1) by least squares, image by image. Chamfer: edge"
        "-aware, half of acc\n(prediction to truth: flying pixels) and comp (truth to prediction)."
        " AbsRel, Chamfer: less is better; delta1: more."
    )
