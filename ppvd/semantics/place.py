"""Where files of weights lie."""

import os
from pathlib import Path

_VARIABLE = "$PPVD_WEIGHTS"


def weights_folder() -> Path:
    """Return ``$PPVD_WEIGHTS``, by default ``~/.cache/ppvd``; it need not exist."""
    return Path(os.environ.get("PPVD_WEIGHTS") or "~/.cache/ppvd").expanduser()


def located(path: str | Path) -> Path:
    """Return the file with ``$PPVD_WEIGHTS`` at its beginning filled in by ``weights_folder``.

    Recipes name published files below it, so that they serve from any folder, and so that a file
    that was fetched by its name serves a recipe too.

    Raises:
        ValueError: If there is no such file.
    """
    given = Path(path)
    first, *rest = given.parts or (".",)
    found = weights_folder().joinpath(*rest) if first == _VARIABLE else given
    if found.is_file():
        return found
    raise ValueError(f"weights must name a file, got {found}{_hint(found, first)}")


def _hint(file: Path, first: str) -> str:
    if file.exists():
        return ", which is none"
    if first == _VARIABLE:
        return ", which is not there; `ppvd weights list` says where to fetch it"
    return "" if file.is_absolute() else f", which is not in {Path.cwd()}"
