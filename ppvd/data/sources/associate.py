"""Which depth map belongs to which picture when two sensors keep time of their own.

The files of such a recording are named by the second at which they were taken, with as many
decimals as the clock happened to give, so names are compared as numbers and never as text.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ppvd.data.errors import SampleError


def read_stamp(path: Path) -> Decimal:
    """Return the second that the name of ``path`` says.

    Raises:
        SampleError: If the name is no number.
    """
    try:
        return Decimal(path.stem)
    except InvalidOperation as error:
        raise SampleError(f"{path.name} must be named by its second, as 1548266469.88") from error


def associate(
    pictures: Iterable[Decimal], depths: Iterable[Decimal], *, max_gap_s: float
) -> list[tuple[Decimal, Decimal]]:
    """Return pairs of picture and depth map, nearest in time, none used twice, in order.

    The closest pair is taken first, then the closest of what is left, and so on: the rule of the
    TUM RGB-D benchmark.

    Args:
        pictures: Seconds of the pictures.
        depths: Seconds of the depth maps.
        max_gap_s: Seconds that the two of a pair may be apart.
    """
    limit = Decimal(str(max_gap_s))
    clock = sorted(depths)
    candidates = sorted(
        (abs(picture - depth), picture, depth)
        for picture in pictures
        for depth in clock[
            bisect_left(clock, picture - limit) : bisect_right(clock, picture + limit)
        ]
    )
    pairs: dict[Decimal, Decimal] = {}
    used: set[Decimal] = set()
    for _, picture, depth in candidates:
        if picture not in pairs and depth not in used:
            pairs[picture] = depth
            used.add(depth)
    return sorted(pairs.items())
