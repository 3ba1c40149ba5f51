"""Sizes at which a network can work on an image."""

import math


def working_size(
    size: tuple[int, int], *, divisor: int, pixels: int | None = None
) -> tuple[int, int]:
    """Return the size nearest to ``size`` whose sides a network accepts.

    The aspect ratio is kept up to rounding. With ``pixels`` and ``divisor=16`` this is the
    released rule (sides rounded half to even, never below one divisor).

    Args:
        size: Height and width of the image in pixels.
        divisor: Number that must divide both sides.
        pixels: Wanted area ``H * W``; ``None`` keeps the image's own scale.

    Returns:
        Height and width in pixels.

    Raises:
        ValueError: If a side, the divisor or the area is not positive.
    """
    height, width = size
    if min(height, width, divisor) <= 0 or (pixels is not None and pixels <= 0):
        raise ValueError(
            f"image sides, divisor and pixels must be positive, got size {size}, "
            f"divisor {divisor}, pixels {pixels}"
        )
    scale = 1.0 if pixels is None else math.sqrt(pixels / (height * width))

    def side(length: int) -> int:
        return max(divisor, round(length * scale / divisor) * divisor)

    return side(height), side(width)
