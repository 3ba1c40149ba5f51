"""Small plots as SVG that takes its colours from the page around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ppvd.report.compare import Difference
from ppvd.report.table import ReportTable

WIDTH, ROW, LABEL, VALUE = 380, 19, 150, 46
PLOT_HEIGHT = 150


@dataclass(frozen=True, slots=True)
class _Scale:
    """Numbers to pixels, linearly."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.stop - self.start)


def dot_plot(table: ReportTable, index: int) -> str:
    """Draw one column of a table: a row a method, the best on top, ours in colour."""
    column = table.columns[index]
    known = [(line, value) for line in table.lines if (value := line.values[index]) is not None]
    if not known:
        return ""
    known.sort(key=lambda one: one[1], reverse=column.better == "more")
    values = [value for _, value in known]
    margin = 0.05 * (max(values) - min(values)) or 1.0
    start, stop = LABEL + 8.0, WIDTH - VALUE - 8.0
    scale = _Scale(min(values) - margin, max(values) + margin, start, stop)
    parts = []
    for place, (line, value) in enumerate(known):
        y, kind = ROW * place + ROW / 2 + 2, "ours" if line.ours else "theirs"
        name = line.name if len(line.name) <= 24 else f"{line.name[:23]}\u2026"
        parts += [
            f'<text class="{kind}" x="{LABEL}" y="{y + 4:.1f}" text-anchor="end">'
            f"{escape(name)}<title>{escape(line.name)}</title></text>",
            f'<line class="rail" x1="{start}" x2="{stop}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<circle class="{kind}" cx="{scale(value):.1f}" cy="{y:.1f}" r="4.5"/>',
            f'<text class="{kind}" x="{WIDTH}" y="{y + 4:.1f}" text-anchor="end">'
            f"{column.text(value)}</text>",
        ]
    return _svg(parts, height=ROW * len(known) + 4, title=column.label)


def difference_plot(difference: Difference) -> str:
    """Draw the differences of all samples, sorted, with their mean and its interval."""
    values = difference.values
    low, high = min(0.0, *values), max(0.0, *values)
    y = _Scale(low, high, PLOT_HEIGHT - 12.0, 12.0)
    x = _Scale(0.0, len(values), 64.0, WIDTH - 6.0)
    width = x(1) - x(0)
    bars = [_bar(x(place), width, y, value) for place, value in enumerate(values)]
    band = (
        f'<rect class="band" x="{x(0):.1f}" width="{x(len(values)) - x(0):.1f}" '
        f'y="{y(difference.high):.1f}" '
        f'height="{max(y(difference.low) - y(difference.high), 1):.1f}"/>'
    )
    lines = [_level(y(0.0), x, "zero"), _level(y(difference.mean), x, "mean")]
    marks = dict.fromkeys((low, 0.0, high))
    texts = [
        f'<text class="theirs" x="58" y="{y(mark) + 4:.1f}" text-anchor="end">{mark:+.2g}</text>'
        for mark in marks
    ]
    title = f"{difference.benchmark} {difference.score}"
    return _svg([band, *bars, *lines, *texts], height=PLOT_HEIGHT, title=title)


def _bar(left: float, width: float, y: _Scale, value: float) -> str:
    top, bottom = sorted((y(value), y(0.0)))
    return (
        f'<rect class="bar" x="{left:.2f}" width="{max(width - 0.3, 0.2):.2f}" '
        f'y="{top:.1f}" height="{bottom - top:.1f}"/>'
    )


def _level(y: float, x: _Scale, kind: str) -> str:
    ends = f'x1="{x.start:.1f}" x2="{x.stop:.1f}"'
    return f'<line class="{kind}" {ends} y1="{y:.1f}" y2="{y:.1f}"/>'


def _svg(parts: Sequence[str], *, height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
