"""Finding the files of a downloaded data set, however it was unpacked."""

import os
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from ppvd.data.errors import ShardError


def natural(path: Path | str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts by the numbers in a name: ``frame_2`` before ``frame_10``."""
    parts = re.findall(r"\d+|\D+", str(path))
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def folders_holding(raw: Path, pattern: str) -> list[Path]:
    """Return the folders anywhere under ``raw`` that hold an entry whose name fits ``pattern``.

    Doubled, missing and additional levels above them do not matter. Folders within a found one
    are not looked at, nor hidden ones.

    Args:
        raw: Root of the download; links are followed.
        pattern: Regular expression of the whole name, in any case of letters.

    Returns:
        Paths relative to ``raw``, in natural order; ``Path('.')`` is ``raw`` itself.

    Raises:
        ShardError: If ``raw`` is no folder.
    """
    if not raw.is_dir():
        raise ShardError(f"raw must be the folder of the downloaded data, but {raw} is none")
    fits = re.compile(pattern, re.IGNORECASE).fullmatch
    found = []
    for folder, folders, files in os.walk(raw, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        if any(map(fits, (*folders, *files))):
            found.append(Path(folder).relative_to(raw))
            folders.clear()
    return sorted(found, key=natural)


def sole_folder(raw: Path, *names: str) -> Path:
    """Return the one folder under ``raw``, relative to it, that holds all of ``names``.

    Raises:
        ShardError: If there is none, or more than one.
    """
    candidates = folders_holding(raw, re.escape(names[0]))
    found = [folder for folder in candidates if all((raw / folder / n).exists() for n in names)]
    if len(found) != 1:
        got = ", ".join(map(str, found)) or "none"
        raise ShardError(f"raw {raw} must hold one folder with {' and '.join(names)}, got {got}")
    return found[0]


def numbered(raw: Path, folder: Path, pattern: str) -> dict[int, Path]:
    """Return the files of one folder by the number in their names, in order of the numbers.

    Args:
        raw: Root of the download.
        folder: Folder relative to ``raw``; one that does not exist holds no files.
        pattern: Regular expression of the whole name, in any case of letters, whose only group is
            the number. Files that do not fit are none of the set's.

    Returns:
        Paths relative to ``raw``.

    Raises:
        ShardError: If two files have the same number.
    """
    fits = re.compile(pattern, re.IGNORECASE).fullmatch
    held = (raw / folder).iterdir() if (raw / folder).is_dir() else ()
    names = sorted(path.name for path in held)
    found: dict[int, Path] = {}
    for match in filter(None, map(fits, names)):
        number = int(match[1])
        if number in found:
            raise ShardError(
                f"files in {raw / folder} must have one number each, got {found[number].name} and"
                f" {match[0]}: keep one of them"
            )
        found[number] = folder / match[0]
    return dict(sorted(found.items()))


def revision(raw: Path, files: Iterable[Path]) -> dict[str, object]:
    """Return what tells one download from another: a hash over the names and sizes of ``files``.

    Contents are not read: that would take as long as the build.

    Args:
        raw: Root of the download.
        files: Paths relative to ``raw``; absent ones count as absent.
    """
    unique = sorted({str(file) for file in files})
    sizes = [(raw / name).stat().st_size if (raw / name).is_file() else -1 for name in unique]
    lines = "".join(f"{name} {size}\n" for name, size in zip(unique, sizes, strict=True))
    return {
        "files": sum(size >= 0 for size in sizes),
        "bytes": sum(size for size in sizes if size >= 0),
        "sha256": sha256(lines.encode(errors="surrogateescape")).hexdigest(),
    }
