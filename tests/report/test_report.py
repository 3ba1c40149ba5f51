import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from ppvd.report import (
    PaperTable,
    beside_paper,
    compare_results,
    comparison_markdown,
    html_page,
    latex_table,
    load_result,
    markdown_table,
    own_table,
)
from ppvd.report.paper import Column, PaperRow

PAPER = PaperTable(
    title="A table",
    protocol="ppd",
    columns=(
        Column(benchmark="a_b", label="A AbsRel", score="abs_rel", unit="percent", better="less"),
        Column(benchmark="a_b", label="A delta1", score="delta1", unit="percent", better="more"),
        Column(benchmark="c", label="C Chamfer", score="chamfer", unit="metres", better="less"),
    ),
    rows=(
        PaperRow(name="One & two", values=(5.5, 96.4, None)),
        PaperRow(name="Best", values=(3.3, 98.2, 0.07)),
    ),
)


@pytest.fixture
def result(tmp_path):
    """Writes results as a test does, and reads them."""

    def write(name, rows, *, protocol="ppd/a_b"):
        folder = tmp_path / name / "version_0"
        (folder / "scores").mkdir(parents=True)
        values = np.array([value for value in rows.values() if value is not None])
        document = {
            "metrics": {"test/a_b/abs_rel": float(values.mean()), "test/a_b/delta1": 0.99},
            "protocols": {"a_b": {"name": protocol, "hash": "0123456789ab"}},
            "seed": 0,
        }
        (folder / "results.json").write_text(json.dumps(document))
        lines = [f"{key},1,{'' if value is None else value}" for key, value in rows.items()]
        text = "\n".join(["key,num_frames,abs_rel", *lines])
        (folder / "scores" / "a_b.csv").write_text(text + "\n")
        return load_result(tmp_path / name)

    return write


def test_ours_stands_below_theirs_in_their_unit_with_its_protocol(result):
    text = markdown_table(beside_paper(PAPER, [result("run", {"x": 0.02, "y": 0.04})]))
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert cells[4] == ["One & two", "5.5", "96.4", "-"]
    assert cells[5] == ["Best", "3.3", "98.2", "**0.07**"]
    assert cells[6] == ["run/version_0 (ours)", "**3.0**", "**99.0**", "-"]
    assert "- run/version_0, a_b: ppd/a_b (0123456789ab)\n" in text


def test_numbers_of_another_protocol_are_said_to_be_so(result):
    table = beside_paper(PAPER, [result("run", {"x": 0.02}, protocol="marigold/a_b")])
    assert table.notes == (
        "run/version_0, a_b: marigold/a_b (0123456789ab); the paper's is ppd: not comparable",
    )


def test_equal_numbers_as_printed_are_both_the_best(result):
    table = beside_paper(PAPER, [result("run", {"x": 0.03304})])
    assert [cell for line in table.lines[1:] for cell in table.cells(line)[:1]] == [
        ("3.3", True),
        ("3.3", True),
    ]


def test_latex_is_balanced_and_escaped(result):
    text = latex_table(beside_paper(PAPER, [result("run_1", {"x": 0.02})]))
    assert r"One \& two & 5.5 & 96.4 & - \\" in text
    assert r"run\_1/version\_0 & \textbf{2.0} & \textbf{99.0} & - \\" in text
    assert text.count(r"\begin") == text.count(r"\end") == 1
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in rows} == {3}


def test_own_table_has_a_column_for_each_score(result):
    table = own_table([result("run", {"x": 0.02})], ["abs_rel", "delta1", "rmse"])
    assert [column.label for column in table.columns] == ["a_b abs_rel", "a_b delta1", "a_b rmse"]
    assert table.lines[0].values == (pytest.approx(2.0), pytest.approx(99.0), None)


def test_differences_are_those_of_the_samples_both_have(result):
    first = result("first", {"x": 0.1, "y": 0.2, "z": 0.3, "only": 5.0, "none": None})
    second = result("second", {"z": 0.5, "y": 0.2, "x": 0.1, "none": 1.0})
    (one,) = compare_results(first, second, scores=("abs_rel", "unknown"))
    assert one.values == pytest.approx((0.0, 0.0, 0.2))
    assert (one.first, one.second) == pytest.approx((0.2, 0.8 / 3))
    assert one.mean == pytest.approx(0.2 / 3)
    assert one.low == pytest.approx(0.0)
    assert not one.differs
    assert one.comparable
    assert "| a_b abs_rel | 0.2 | 0.26667 | +0.0667 |" in comparison_markdown(first, second, [one])


def test_results_without_anything_in_common_are_refused(result):
    first, second = result("first", {"x": 0.1}), result("second", {"y": 0.1})
    with pytest.raises(ValueError, match="must have samples and scores in common"):
        compare_results(first, second, scores=("abs_rel",))


class _Balance(HTMLParser):
    """Sees that every element is closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # noqa: ARG002
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing(result):
    first, second = (result(n, {str(i): i / 100 for i in range(9)}) for n in ("a<b", "c"))
    differences = compare_results(first, second, scores=("abs_rel",))
    text = html_page(
        [beside_paper(PAPER, [first, second])], [first], [(first, second, differences)]
    )
    balance = _Balance()
    balance.feed(text)
    assert not balance.open
    assert not {"script", "link", "img"} & set(balance.seen)
    assert "http" not in text
    assert "a<b" not in text
    assert balance.seen.count("svg") == 3 + 1
    assert balance.seen.count("circle") == 4 + 4 + 1
    for part in text.split("<svg")[1:]:
        ET.fromstring("<svg" + part.split("</svg>")[0] + "</svg>")


def test_the_newest_run_of_an_experiment_is_taken_and_none_is_refused(result, tmp_path):
    result("run", {"x": 0.1})
    newer = tmp_path / "run" / "version_12"
    newer.mkdir()
    (newer / "results.json").write_text('{"metrics": {}}')
    assert load_result(tmp_path / "run").folder == newer
    with pytest.raises(ValueError, match=r"must be a results.json or a run that has one"):
        load_result(tmp_path / "nothing")
