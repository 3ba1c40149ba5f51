"""``ppvd report``: results beside the paper's tables, and beside each other."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import ppvd
from ppvd.cli.mistakes import UsageError, did_you_mean
from ppvd.cli.parser import VerbParser

if TYPE_CHECKING:
    from ppvd.report import Difference, ReportTable, Result

TABLES = Path(ppvd.__file__).parents[1] / "benchmarks" / "paper_tables.json"
DESCRIPTION = """\
Results of tests beside the paper's Tables I to VI, and beside each other.

A row is named by its run, or as --names says. Below a table stands by which protocol, with its
hash, each of our numbers was made; numbers of another protocol than the paper's are marked.
"""
EXAMPLES = """\
examples:
  ppvd report lightning_logs/mono_zeroshot/version_0 --paper table1
  ppvd report RUN_A RUN_B --paper table1 table6 --format html --out report.html
  ppvd report --compare RUN_A RUN_B                 differences sample by sample
"""


def main(words: list[str]) -> None:
    """Run ``ppvd report`` with the words after it.

    Raises:
        UsageError: If the words cannot be understood.
        ValueError: If results are missing.
    """
    asked = _parser().parse_args(words)
    if not asked.results and not asked.compare:
        raise UsageError("give results: a results.json, or the folder of a test's run")
    from ppvd.report import load_result

    results = [load_result(path) for path in asked.results]
    if asked.names:
        results = _renamed(results, asked.names)
    comparison = [load_result(path) for path in asked.compare or ()]
    text = _written(asked, results, comparison)
    if asked.out is None:
        print(text, end="")
        return
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(text, encoding="utf-8")
    print(f"written to {asked.out}")


def _written(asked: argparse.Namespace, results: list["Result"], pair: list["Result"]) -> str:
    from ppvd.report import (
        compare_results,
        comparison_markdown,
        html_page,
        latex_table,
        markdown_table,
    )

    tables = _tables(asked, results)
    differences: list[Difference] = []
    if pair:
        differences = compare_results(pair[0], pair[1], scores=tuple(asked.scores))
    if asked.format == "html":
        pairs = [(pair[0], pair[1], differences)] if pair else []
        shown = list({result.folder: result for result in [*results, *pair]}.values())
        return html_page(tables, shown, pairs)
    if asked.format == "latex":
        return "\n".join(map(latex_table, tables))
    texts = [markdown_table(table) for table in tables]
    texts += [comparison_markdown(pair[0], pair[1], differences)] if pair else []
    return "\n".join(texts)


def _tables(asked: argparse.Namespace, results: list["Result"]) -> list["ReportTable"]:
    from ppvd.report import beside_paper, load_paper_tables, own_table

    if not results:
        return []
    if not asked.paper:
        return [own_table(results, asked.scores)]
    tables = load_paper_tables(asked.tables)
    for name in asked.paper:
        if name not in tables:
            nearest = did_you_mean(name, tables) or f"; there are {', '.join(tables)}"
            raise UsageError(f"--paper must name a table, got {name}{nearest}")
    return [beside_paper(tables[name], results) for name in asked.paper]


def _renamed(results: list["Result"], names: list[str]) -> list["Result"]:
    from dataclasses import replace

    if len(names) != len(results):
        raise UsageError(f"--names must be {len(results)} names, one a result, got {len(names)}")
    return [replace(one, name=name) for one, name in zip(results, names, strict=True)]


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser(
        "ppvd report",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("results", nargs="*", type=Path, metavar="RESULTS", help="results.json, or a run's folder")
    add("--paper", nargs="+", metavar="TABLE", help="table1 to table6; default: none")
    add("--compare", nargs=2, type=Path, metavar=("A", "B"), help="B minus A, sample by sample")
    add("--scores", nargs="+", default=["abs_rel", "delta1"], help="default: abs_rel delta1")
    add("--names", nargs="+", metavar="NAME", help="what the results are called, in order")
    add("--format", choices=("markdown", "latex", "html"), default="markdown")
    add("--out", type=Path, metavar="FILE", help="default: the terminal")
    add("--tables", type=Path, default=TABLES, metavar="FILE", help="the paper's tables")
    return parser
