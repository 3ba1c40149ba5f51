"""What an evaluation prints: every name whole, a line for a score, no line too long."""

import math

from ppvd.cli.score_table import score_table

LONG = "num_clips_with_lost_poses"


def test_scores_stand_in_rows_and_data_sets_in_columns():
    scores = {
        "test/nyuv2/abs_rel": 0.0434567,
        "test/nyuv2/num_without_truth": 2.0,
        "test/kitti/abs_rel": 12.5,
        "test/kitti/delta1": math.nan,
        "test/kitti/num_without_truth": 0.0,
    }
    rows = [line.split() for line in score_table(scores).splitlines()]
    assert rows == [
        ["nyuv2", "kitti"],
        ["abs_rel", "0.04346", "12.5"],
        ["num_without_truth", "2", "0"],
        ["delta1", "-", "-"],
    ]


def test_columns_end_where_their_names_end():
    text = score_table({"test/a_long_name/x": 1.0, "test/b/x": 0.123456})
    assert text.splitlines() == ["   a_long_name       b", "x            1  0.1235"]


def test_counts_of_nothing_are_left_out():
    assert LONG not in score_table({f"test/a/{LONG}": 0.0, "test/a/tae": 0.0})
    assert LONG in score_table({f"test/a/{LONG}": 1.0})


def test_many_data_sets_follow_below_each_other():
    scores = {f"val/set_{n:05d}/{name}": 1e-5 for n in range(8) for name in ("abs_rel", LONG)}
    lines = score_table(scores).splitlines()
    assert max(map(len, lines)) <= 100
    assert sum(line.count("set_") for line in lines) == 8
    assert lines.count("") == 1


def test_scores_without_a_data_set_are_shown():
    assert score_table({"test/loss": 0.5}).split() == ["loss", "0.5"]
    assert score_table({"loss": 0.5}).split() == ["loss", "0.5"]
    assert score_table({}) == ""
