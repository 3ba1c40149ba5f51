"""Rectangles by which published evaluations cut pictures, or say which pixels count."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle of whole pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def rows(self) -> slice:
        """Its rows."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """Its columns."""
        return slice(self.left, self.left + self.width)


class Region(ABC):
    """A rectangle that depends on the size of the picture."""

    def box(self, height: int, width: int) -> Box:
        """Return the rectangle in a picture of ``height`` x ``width`` pixels.

        Raises:
            ValueError: If nothing is left of such a picture.
        """
        (top, bottom), (left, right) = self.bounds(height, width)
        if bottom <= top or right <= left:
            raise ValueError(f"{self} must leave something of a picture, got {height} x {width}")
        return Box(top, left, bottom - top, right - left)

    @abstractmethod
    def bounds(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return first and last row (exclusive), first and last column (exclusive)."""


@dataclass(frozen=True, kw_only=True)
class Pixels(Region):
    """Rows and columns from one to another, the second not included.

    Negative numbers count from the end; None is the end. What lies beyond the picture is not
    missed.

    Args:
        rows: First row, and the first one that is out.
        columns: First column, and the first one that is out.
    """

    rows: tuple[int, int | None]
    columns: tuple[int, int | None]

    def bounds(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the bounds within the picture."""
        top, bottom, _ = slice(*self.rows).indices(height)
        left, right, _ = slice(*self.columns).indices(width)
        return (top, bottom), (left, right)


@dataclass(frozen=True, kw_only=True)
class Shares(Region):
    """Rows and columns as shares of the sides, rounded down as the Eigen and Garg masks are.

    Args:
        rows: Shares of the height, within [0, 1].
        columns: Shares of the width, within [0, 1].

    Raises:
        ValueError: If the shares do not increase within [0, 1].
    """

    rows: tuple[float, float]
    columns: tuple[float, float]

    def __post_init__(self) -> None:
        for name, (start, stop) in {"rows": self.rows, "columns": self.columns}.items():
            if not 0.0 <= start < stop <= 1.0:
                raise ValueError(f"{name} must increase within [0, 1], got {[start, stop]}")

    def bounds(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the bounds in pixels."""
        top, bottom = (int(share * height) for share in self.rows)
        left, right = (int(share * width) for share in self.columns)
        return (top, bottom), (left, right)


@dataclass(frozen=True, kw_only=True)
class BottomMiddle(Region):
    """The middle of the lowest rows: the crop of KITTI's benchmark ("KB crop").

    Args:
        height: Rows.
        width: Columns.
    """

    height: int = 352
    width: int = 1216

    def bounds(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the bounds.

        Raises:
            ValueError: If the picture is smaller.
        """
        if height < self.height or width < self.width:
            raise ValueError(
                f"pictures must have at least {self.height} x {self.width} pixels for this crop, "
                f"got {height} x {width}"
            )
        left = (width - self.width) // 2
        return (height - self.height, height), (left, left + self.width)
