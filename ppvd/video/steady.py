"""A steady row of frames from pictures that may be missing, late, or of another size."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from ppvd.video.frame import Picture, VideoFrame

# Times in Matroska are whole milliseconds; frames closer than that would share one.
MIN_STEP_S = Fraction(1, 1000)

# A picture, or nothing where it could not be decoded; and its time in seconds, where known.
Decoded = tuple[Picture | None, Fraction | None]


def steady(pictures: Iterable[Decoded], *, name: str, rate: Fraction) -> Iterator[VideoFrame]:
    """Yield frames that begin at time 0, rise in time and have one size.

    A picture that is missing is replaced by the one before it; missing ones before the first are
    left out, as players do.

    Args:
        pictures: Pictures in order of time.
        name: The video's name, for messages.
        rate: Frames a second, for pictures without a time.

    Raises:
        ValueError: If there is no picture, or one of another size than the first.
    """
    last: VideoFrame | None = None
    start = Fraction(0)
    for number, (picture, time) in enumerate(pictures):
        if last is None:
            if picture is None:
                continue
            start = time or Fraction(0)
            last = VideoFrame(picture, Fraction(0))
        else:
            now = last.time + 1 / rate if time is None else time - start
            now = max(now, last.time + MIN_STEP_S)
            if picture is not None and picture.shape != last.image.shape:
                raise ValueError(_other_size(name, number, picture, last.image))
            last = VideoFrame(last.image if picture is None else picture, now, picture is None)
        yield last
    if last is None:
        raise ValueError(f"video {name} must have a frame that can be decoded, but has none")


def _other_size(name: str, number: int, picture: Picture, first: Picture) -> str:
    sizes = [f"{width} x {height}" for height, width, _ in (first.shape, picture.shape)]
    return (
        f"frames of {name} must be of one size, {sizes[0]} as the first, but frame {number} is "
        f"{sizes[1]}: cut the video there"
    )
