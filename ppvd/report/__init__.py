"""Results beside the paper's tables and beside each other: text, LaTeX, a page with plots."""

from ppvd.report.compare import Difference, compare_results, comparison_markdown
from ppvd.report.page import html_page
from ppvd.report.paper import PaperTable, load_paper_tables
from ppvd.report.results import Result, load_result
from ppvd.report.table import ReportTable, beside_paper, own_table
from ppvd.report.text import latex_table, markdown_table

__all__ = [
    "Difference",
    "PaperTable",
    "ReportTable",
    "Result",
    "beside_paper",
    "compare_results",
    "comparison_markdown",
    "html_page",
    "latex_table",
    "load_paper_tables",
    "load_result",
    "markdown_table",
    "own_table",
]
