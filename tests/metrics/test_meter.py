"""The meter measures what it is for: blurred edges, at equal error elsewhere."""

from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    return import_module("benchmarks.edge_dilation")


def test_blurred_edges_score_worse_in_chamfer_and_the_same_in_abs_rel(script):
    found = script.compare(3, size=(144, 192))
    sharp, blurred = found["sharp"], found["blurred"]
    assert blurred["abs_rel"] == pytest.approx(sharp["abs_rel"], rel=0.02)
    assert blurred["chamfer r1"] > 1.5 * sharp["chamfer r1"]
    assert blurred["flying"] > 0.3 > sharp["flying"]
    excess = [blurred[f"chamfer r{width}"] / sharp[f"chamfer r{width}"] for width in range(4)]
    assert excess == sorted(excess, reverse=True)  # the wider the band, the more it dilutes


def test_the_curve_shows_every_distance_higher_up_the_larger_it_is(script):
    row = {f"chamfer r{width}": 2.0 / (1 + width) for width in range(4)}
    found = {"sharp": {name: value / 10 for name, value in row.items()}, "blurred": row}
    picture = ElementTree.fromstring(script.draw(found))
    height = {one.text: float(one.get("y")) for one in picture.iter() if one.tag.endswith("text")}
    assert height["2.00"] < height["1.00"] < height["0.50"] < height["0.20"]
    lines = [one for one in picture.iter() if one.tag.endswith("polyline")]
    assert [len(one.get("points").split()) for one in lines] == [4, 4]


def test_the_script_prints_its_table_and_draws_the_curve(script, capsys, tmp_path):
    plot = tmp_path / "curve.svg"
    script.main(["--scenes", "1", "--size", "48", "64", "--plot", str(plot)])
    assert plot.read_text().startswith("<svg")
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0]
        == "|  | abs_rel | flying | " + " | ".join(f"chamfer r{width}" for width in range(4)) + " |"
    )
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| sharp", "| blurred"]
