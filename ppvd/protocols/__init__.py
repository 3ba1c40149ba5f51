"""Evaluation protocols as data, and scores that depend on nothing else."""

from ppvd.protocols.protocol import Protocol
from ppvd.protocols.region import BottomMiddle, Box, Pixels, Region, Shares
from ppvd.protocols.scores import Row, SampleScores, flat_row

__all__ = [
    "BottomMiddle",
    "Box",
    "Pixels",
    "Protocol",
    "Region",
    "Row",
    "SampleScores",
    "Shares",
    "flat_row",
]
