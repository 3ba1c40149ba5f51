"""Evaluation protocols as data, and scores that depend on nothing else."""

from ppvd.protocols.protocol import Protocol
from ppvd.protocols.region import BottomMiddle, Box, Pixels, Region, Shares
from ppvd.protocols.scores import Row, SampleScores, flat_row
from ppvd.protocols.unit import DISPARITY_CODE, LOG_CODE, METRES, Unit

__all__ = [
    "DISPARITY_CODE",
    "LOG_CODE",
    "METRES",
    "BottomMiddle",
    "Box",
    "Pixels",
    "Protocol",
    "Region",
    "Row",
    "SampleScores",
    "Shares",
    "Unit",
    "flat_row",
]
