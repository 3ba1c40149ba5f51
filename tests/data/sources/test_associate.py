from decimal import Decimal
from pathlib import Path

import pytest

from ppvd.data.errors import SampleError
from ppvd.data.sources.associate import associate, read_stamp


def stamps(*texts):
    return [Decimal(text) for text in texts]


def test_a_name_is_a_number_however_many_decimals_it_has():
    names = ["1548266469.9.png", "1548266469.88231.png", "1548266470.0001.png"]
    read = [read_stamp(Path("rgb") / name) for name in names]
    assert read == stamps("1548266469.9", "1548266469.88231", "1548266470.0001")
    with pytest.raises(SampleError, match=r"last\.png must be named by its second"):
        read_stamp(Path("rgb/last.png"))


def test_neighbours_in_time_are_paired_in_order_and_gaps_are_left():
    pictures = stamps("1.00", "1.03", "1.06", "2.00", "2.03")
    depths = stamps("2.04", "1.035", "1.01", "1.50")
    assert associate(pictures, depths, max_gap_s=0.02) == list(
        zip(stamps("1.00", "1.03", "2.03"), stamps("1.01", "1.035", "2.04"), strict=True)
    )


def test_none_is_used_twice_and_the_closest_pair_goes_first():
    """1.010 is within reach of both depth maps; the one it leaves behind is 1.000's."""
    pairs = associate(stamps("1.000", "1.010"), stamps("1.008", "1.025"), max_gap_s=0.03)
    assert pairs == list(zip(stamps("1.000", "1.010"), stamps("1.025", "1.008"), strict=True))
    assert associate(stamps("1.0"), stamps("1.01", "0.99"), max_gap_s=0.02) == [
        (Decimal("1.0"), Decimal("0.99"))
    ]
    assert len(associate(stamps("1.0"), stamps("1.01", "0.99"), max_gap_s=0.02)) == 1


def test_the_limit_is_within_reach_and_beyond_it_is_not():
    assert associate(stamps("1.00"), stamps("1.02"), max_gap_s=0.02)
    assert not associate(stamps("1.00"), stamps("1.0201"), max_gap_s=0.02)
    assert not associate([], stamps("1"), max_gap_s=0.02)
