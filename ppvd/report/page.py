"""A page that needs nothing but itself: tables, plots, cards; light and dark."""

from collections.abc import Sequence
from html import escape

from ppvd.report.compare import Difference
from ppvd.report.results import Result
from ppvd.report.svg import difference_plot, dot_plot
from ppvd.report.table import Line, ReportTable
from ppvd.report.text import ARROWS

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf8; --ink: #1c1b1a; --faint: #74706a;
  --rule: #dedad3; --ours: #b4431f; --band: #b4431f26; --card: #f2efe9; }
@media (prefers-color-scheme: dark) { :root { --paper: #171614; --ink: #ece9e4;
  --faint: #9d978e; --rule: #383530; --ours: #f08a5d; --band: #f08a5d2e; --card: #211f1c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 2rem 1.5rem 4rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: .9rem; font-weight: 600; margin: 0 0 .35rem; }
p, li { color: var(--faint); margin: .2rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .22rem .6rem; text-align: right; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; }
thead th { font-weight: 600; white-space: normal; min-width: 4.6rem; vertical-align: bottom; }
tr.ours td { color: var(--ours); font-weight: 600; }
td span { color: var(--faint); font-size: .8em; margin-left: .5em; }
td.best { font-weight: 700; text-decoration: underline; text-underline-offset: 3px; }
.plots { display: grid; gap: 1.6rem 2.2rem; margin-top: 1.2rem;
  grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; display: block; }
svg .theirs { fill: var(--faint); } svg .ours { fill: var(--ours); font-weight: 700; }
svg .rail { stroke: var(--rule); } svg .bar { fill: var(--faint); opacity: .55; }
svg .zero { stroke: var(--ink); } svg .mean { stroke: var(--ours); stroke-width: 2; }
svg .band { fill: var(--band); }
pre { background: var(--card); padding: .8rem 1rem; overflow-x: auto; font-size: 12.5px;
  border-radius: 6px; } summary { cursor: pointer; color: var(--faint); }
"""
CARD = ("task", "checkpoint", "sampling", "seed", "precision", "device", "hardware", "code")


def html_page(
    tables: Sequence[ReportTable],
    results: Sequence[Result],
    comparisons: Sequence[tuple[Result, Result, Sequence[Difference]]] = (),
) -> str:
    """Return the page.

    Args:
        tables: Tables with their plots.
        results: Whose cards are shown.
        comparisons: Pairs of results with their differences.
    """
    body = [_table(table) for table in tables]
    body += [_comparison(*comparison) for comparison in comparisons]
    body += ["<h2>How the numbers were made</h2>", *(_card(result) for result in results)]
    title = "Depth, measured"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{title}</h1><p>Ours in colour; the best number of a column underlined. Arrows "
        f"say which way is better.</p>{''.join(body)}</body></html>\n"
    )


def _table(table: ReportTable) -> str:
    heads = "".join(f"<th>{escape(c.label)} {ARROWS[c.better]}</th>" for c in table.columns)
    rows = "".join(_row(table, line) for line in table.lines)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    plots = [
        f"<figure style='margin:0'><h3>{escape(column.label)} {ARROWS[column.better]}</h3>"
        f"{dot_plot(table, index)}</figure>"
        for index, column in enumerate(table.columns)
        if any(line.values[index] is not None for line in table.lines)
    ]
    return (
        f"<h2>{escape(table.title)}</h2><div class='scroll'><table><thead><tr><th></th>{heads}"
        f"</tr></thead><tbody>{rows}</tbody></table></div><ul>{notes}</ul>"
        f"<div class='plots'>{''.join(plots)}</div>"
    )


def _row(table: ReportTable, line: Line) -> str:
    cells = "".join(
        f'<td class="best">{text}</td>' if best else f"<td>{text}</td>"
        for text, best in table.cells(line)
    )
    kind = ' class="ours"' if line.ours else ""
    group = f"<span>{escape(line.group)}</span>" if line.group else ""
    return f"<tr{kind}><td>{escape(line.name)}{group}</td>{cells}</tr>"


def _comparison(first: Result, second: Result, differences: Sequence[Difference]) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.benchmark)} {escape(one.score)}"
        f"{'' if one.comparable else ' (other protocol)'}</td><td>{one.first:.5g}</td>"
        f"<td>{one.second:.5g}</td><td{' class=best' if one.differs else ''}>{one.mean:+.3g}</td>"
        f"<td>{one.low:+.3g} to {one.high:+.3g}</td><td>{len(one.values)}</td></tr>"
        for one in differences
    )
    plots = "".join(
        f"<figure style='margin:0'><h3>{escape(one.benchmark)} {escape(one.score)}</h3>"
        f"{difference_plot(one)}</figure>"
        for one in differences
    )
    heads = f"<th></th><th>{escape(first.name)}</th><th>{escape(second.name)}</th>"
    return (
        f"<h2>{escape(second.name)} against {escape(first.name)}</h2><p>Differences of the samples "
        f"that both have, sorted; line and band are their mean and its 95 % bootstrap interval. "
        f"Underlined where that leaves out zero.</p><div class='scroll'><table><thead><tr>{heads}"
        f"<th>difference</th><th>95 % interval</th><th>samples</th></tr></thead><tbody>{rows}"
        f"</tbody></table></div><div class='plots'>{plots}</div>"
    )


def _card(result: Result) -> str:
    lines = [f"{name}: {result.card[name]}" for name in CARD if name in result.card]
    lines += [f"{name}: {result.protocol(name)}" for name in result.benchmarks]
    text = escape("\n".join(lines))
    return f"<details><summary>{escape(result.name)}</summary><pre>{text}</pre></details>"
