"""Arithmetic that gives the same bits on every machine.

IEEE 754 fixes ``+ - * /``, square root and comparisons to the last bit. Library sines, products
by BLAS and sums by NumPy are not fixed (they depend on libm, SIMD width and fused multiply-adds),
so the renderer goes without them: a seed gives the same picture everywhere.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Array = NDArray[np.float64]
Item = TypeVar("Item")

TAU = 2.0 * math.pi
_SINE_TERMS = tuple((-1.0) ** k / float(math.factorial(2 * k + 1)) for k in range(10))


def sine(angle: float) -> float:
    """Return the sine of ``angle`` in radians, exact to about 1e-13 and to the bit everywhere."""
    turns = angle / TAU
    folded = (turns - math.floor(turns + 0.5)) * TAU
    if abs(folded) > math.pi / 2.0:
        folded = math.copysign(math.pi, folded) - folded
    square, total = folded * folded, 0.0
    for term in reversed(_SINE_TERMS):
        total = total * square + term
    return folded * total


def cosine(angle: float) -> float:
    """Return the cosine of ``angle`` in radians; see `sine`."""
    return sine(angle + math.pi / 2.0)


def product(left: Array, right: Array) -> Array:
    """Multiply ``(..., R, 3)`` by ``(..., 3, C)`` matrices without BLAS."""
    first = left[..., :, 0:1] * right[..., 0:1, :]
    second = left[..., :, 1:2] * right[..., 1:2, :]
    total: Array = first + second + left[..., :, 2:3] * right[..., 2:3, :]
    return total


def inverse(matrix: Array) -> Array:
    """Invert one ``(3, 3)`` matrix by its adjugate, without LAPACK."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    adjugate = np.array(
        [
            [e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ]
    )
    determinant = a * (e * i - f * h) + b * (f * g - d * i) + c * (d * h - e * g)
    result: Array = adjugate / determinant
    return result


class Dice:
    """A stream of random draws whose bits NumPy guarantees (raw PCG64), with no library function.

    Args:
        seed: What the stream depends on, not negative.
        stream: Number of an independent stream of the same seed.
    """

    def __init__(self, seed: int, *, stream: int = 0) -> None:
        self._bits = np.random.PCG64([seed, stream])
        self._pool: list[int] = []

    def unit(self) -> float:
        """Draw from [0, 1) in steps of 2**-53."""
        if not self._pool:
            self._pool = self._bits.random_raw(512).tolist()
        return (self._pool.pop() >> 11) * 2.0**-53

    def uniform(self, low: float, high: float) -> float:
        """Draw from [``low``, ``high``)."""
        return low + (high - low) * self.unit()

    def count(self, low: int, high: int) -> int:
        """Draw an integer from ``low`` to ``high``, both included."""
        return low + int((high - low + 1) * self.unit())

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``."""
        return self.unit() < probability

    def sign(self) -> float:
        """Return -1.0 or 1.0."""
        return -1.0 if self.unit() < 0.5 else 1.0

    def pick(self, items: Sequence[Item]) -> Item:
        """Draw one of ``items``, all equally likely."""
        return items[int(len(items) * self.unit())]

    def tint(self, colour: Vector, *, amount: float = 0.06) -> Vector:
        """Return ``colour`` (sRGB in [0, 1]) a little lighter or darker and off in hue."""
        light = self.uniform(-amount, amount)
        red, green, blue = (
            min(max(part + light + self.uniform(-amount, amount) / 3.0, 0.02), 0.98)
            for part in colour
        )
        return red, green, blue
