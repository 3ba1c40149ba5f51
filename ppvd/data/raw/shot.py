"""What is known of a frame of a download before it is read, and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ppvd.data.frame import Frame

NO_FILE = Path("missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """Where the parts of one frame lie.

    Attributes:
        scene: Name of the place; frames of one scene belong to one split.
        sequence: Name of the sequence, by which the keys of its frames begin.
        number: Number of the frame within its sequence.
        image: File of the picture, relative to the root of the download.
        depth: File of the depth.
        others: Further files that the frame is read from.
        fault: Why the frame is known to be unfit before it is read; empty if it is not.
    """

    scene: str
    sequence: str
    number: int
    image: Path
    depth: Path
    others: tuple[Path, ...] = ()
    fault: str = ""


def pair(
    images: Mapping[int, Path],
    depths: Mapping[int, Path],
    *,
    scene: str,
    sequence: str,
    others: tuple[Path, ...] = (),
) -> list[Shot]:
    """Return the frames of one sequence in order; one that lacks a file is marked as unfit.

    Args:
        images: Pictures by frame number, as `numbered` finds them.
        depths: Depth files by frame number.
        scene: Name of the place.
        sequence: Name of the sequence.
        others: Further files that every frame is read from.
    """
    shots = []
    for number in sorted(images.keys() | depths.keys()):
        absent = "picture" if number not in images else "depth" if number not in depths else ""
        shot = Shot(
            scene=scene,
            sequence=sequence,
            number=number,
            image=images.get(number, NO_FILE),
            depth=depths.get(number, NO_FILE),
            others=others,
            fault=f"its {absent} file is missing" if absent else "",
        )
        shots.append(shot)
    return shots


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taken:
    """A frame that was read, with its picture's own bytes where those are worth keeping."""

    frame: Frame
    picture: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What becomes one sample: a frame, or a segment of a video.

    Attributes:
        key: Name of the sample.
        shots: Its frames in order.
        fault: Why it is known to be unfit; empty if it is not.
    """

    key: str
    shots: tuple[Shot, ...]
    fault: str = ""
