"""Tables as Markdown and as LaTeX."""

from collections.abc import Sequence

from ppvd.report.table import Line, ReportTable

ARROWS = {"less": "\u2193", "more": "\u2191"}
_LATEX = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "~": r"\textasciitilde{}"}


def markdown_table(table: ReportTable) -> str:
    """Return a table as Markdown; the best number of a column is bold, our rows are marked."""
    head = ["", *(f"{column.label} {ARROWS[column.better]}" for column in table.columns)]
    body = [[_name(line), *_marked(table, line)] for line in table.lines]
    widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    rows = [_row(cells, widths) for cells in [head, rule, *body]]
    notes = [f"- {note}" for note in table.notes]
    return "\n".join([f"### {table.title}", "", *rows, "", *notes]).rstrip() + "\n"


def latex_table(table: ReportTable) -> str:
    """Return a table as LaTeX with the rules of ``booktabs``."""
    arrows = {"less": r"$\downarrow$", "more": r"$\uparrow$"}
    head = ["", *(f"{_escaped(c.label)} {arrows[c.better]}" for c in table.columns)]
    theirs = [_latex_row(table, line) for line in table.lines if not line.ours]
    ours = [_latex_row(table, line) for line in table.lines if line.ours]
    notes = [f"% {note}" for note in table.notes]
    return "\n".join(
        [
            rf"% {table.title}",
            *notes,
            rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            *theirs,
            *([r"\midrule"] if theirs and ours else []),
            *ours,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _name(line: Line) -> str:
    return f"{line.name} (ours)" if line.ours else line.name


def _marked(table: ReportTable, line: Line) -> list[str]:
    return [f"**{text}**" if best else text for text, best in table.cells(line)]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if index == 0 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join([first, *others])} |"


def _latex_row(table: ReportTable, line: Line) -> str:
    cells = [rf"\textbf{{{text}}}" if best else text for text, best in table.cells(line)]
    return " & ".join([_escaped(line.name), *cells]) + r" \\"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)
