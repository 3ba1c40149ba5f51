"""Which saved file belongs to which sample, by what their names have in common."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_CLIP = re.compile(r"-(\d{3,})$")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in comparable parts.

    Attributes:
        words: Folders and stem in small letters, with ``-`` for what no key may hold.
        numbers: The number at the stem's end, and the last two groups of digits read as one.
    """

    words: tuple[str, ...]
    numbers: frozenset[int]


def file_name(path: Path) -> Name:
    """Read the name of a file, relative to the folder of predictions and without its suffix."""
    words = tuple(re.sub(r"[^a-z0-9_-]", "-", part.lower()) for part in path.parts)
    groups = re.findall(r"\d+", words[-1])
    read = {int("".join(groups[-count:])) for count in (1, 2) if groups}
    return Name(words, frozenset(read))


class NameIndex:
    """Finds the files of a sample.

    A sample's key is ``<data set>/<sequence>/<number>`` for an image and
    ``<data set>/<sequence>-<frames>`` for a video. A file belongs to it if its path holds more of
    the sequence's parts than that of any other file, and, for an image, its number.

    Args:
        paths: Files, and the names to compare: paths without suffix, relative to the folder.

    Raises:
        ValueError: If there are none.
    """

    def __init__(self, paths: Sequence[tuple[Path, Path]]) -> None:
        if not paths:
            raise ValueError("predictions must hold a file of the format, found none")
        self._files = [(path, file_name(relative)) for path, relative in paths]

    def find(self, key: str) -> list[Path]:
        """Return the file of an image, or all files of a video in order of their numbers.

        Raises:
            ValueError: If there is none, or several for one image.
        """
        exact = [path for path, name in self._files if "/".join(name.words) == key.lower()]
        if exact:
            return exact
        clip = _CLIP.search(key)
        parts = (key[: clip.start()] if clip else key).split("/")
        number = None if clip else _number(parts[-1])
        wanted = parts[1:] if clip else parts[1:-1]
        named = [(path, n) for path, n in self._files if number is None or number in n.numbers]
        scored = [(_shared(wanted, name), path, name) for path, name in named]
        best = max((score for score, _, _ in scored), default=0)
        found = [(path, name) for score, path, name in scored if score == best]
        if not found or (best == 0 and wanted and len(self._sequences()) > 1):
            raise ValueError(f"predictions must have a file for each sample, found none for {key}")
        if clip is None and len(found) > 1:
            files = ", ".join(str(path) for path, _ in found[:3])
            raise ValueError(f"predictions must have one file for {key}, found {files}")
        return [path for path, _ in sorted(found, key=lambda one: _order(one[1]))]

    def _sequences(self) -> set[tuple[str, ...]]:
        return {name.words[:-1] for _, name in self._files}


def _number(part: str) -> int | None:
    return int(part) if part.isdigit() else None


def _shared(wanted: Sequence[str], name: Name) -> int:
    """Count the parts of a sequence that a path holds, as words or within its stem."""
    return sum(part in name.words or _within(part, name.words[-1]) for part in wanted)


def _within(part: str, stem: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(part)}(?![a-z0-9])", stem) is not None


def _order(name: Name) -> tuple[tuple[str, ...], int]:
    return name.words[:-1], min(name.numbers, default=0)
