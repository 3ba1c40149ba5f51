"""The paper's tables, counted and cross-checked."""

import json
import re
from pathlib import Path

import pytest

from ppvd.report import load_paper_tables

FILE = Path(__file__).parents[2] / "benchmarks" / "paper_tables.json"


@pytest.fixture(scope="module")
def tables():
    return load_paper_tables(FILE)


def row(table, name):
    (found,) = [row.values for row in table.rows if row.name == name]
    return found


def test_each_table_has_the_papers_rows_and_columns(tables):
    sizes = {name: (len(table.rows), len(table.columns)) for name, table in tables.items()}
    assert sizes == {
        "table1": (15, 10),
        "table2": (7, 8),
        "table3": (4, 11),
        "table4": (5, 10),
        "table5": (4, 8),
        "table6": (7, 1),
    }


def test_rows_that_stand_in_two_tables_agree(tables):
    assert row(tables["table1"], "PPD") == row(tables["table4"], "SP-DiT (MoGe2)")
    assert row(tables["table2"], "PPVD") == row(tables["table5"], "SC-DiT (pi3) + RGTP")
    assert row(tables["table3"], "SP-DiT + Cas-DiT")[:10] == row(tables["table4"], "SP-DiT (DAv2)")
    assert row(tables["table3"], "DiT (vanilla)")[:10] == row(tables["table4"], "DiT (vanilla)")


def test_what_the_text_says_of_the_tables_holds(tables):
    # IV-D: "a 78% gain on the NYUv2 AbsRel metric"; "reducing inference time by 30%".
    three = tables["table3"]
    assert 1 - row(three, "SP-DiT")[0] / row(three, "DiT (vanilla)")[0] == pytest.approx(
        0.78, abs=0.01
    )
    assert 1 - row(three, "SP-DiT + Cas-DiT")[10] / row(three, "SP-DiT")[10] == pytest.approx(0.3)
    # IV-C: RollingDepth surpassed by 63.7 % on ScanNet, Video Depth Anything by 58.4 %.
    two = tables["table2"]
    ours = row(two, "PPVD")[2]
    assert 1 - ours / row(two, "RollingDepth")[2] == pytest.approx(0.637, abs=5e-4)
    assert 1 - ours / row(two, "Video Depth Anything")[2] == pytest.approx(0.584, abs=5e-4)


def test_every_accuracy_is_a_percentage_and_falls_as_errors_grow(tables):
    for table in tables.values():
        for one in table.rows:
            pairs = zip(table.columns, one.values, strict=True)
            values = {c.label: v for c, v in pairs if v is not None}
            for label, value in values.items():
                low, high = (50, 100) if label.endswith("delta1") else (0, 30)
                assert low < value < high, (table.title, one.name, label)


def test_a_row_that_lacks_a_number_is_refused(tmp_path):
    document = json.loads(FILE.read_text())
    document["tables"]["table6"]["rows"][0]["values"] = []
    file = tmp_path / "tables.json"
    file.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="row Marigold of table6 must have 1 numbers, got 0"):
        load_paper_tables(file)
    missing = tmp_path / "none.json"
    with pytest.raises(ValueError, match=re.escape(f"must be in {missing}")):
        load_paper_tables(missing)
