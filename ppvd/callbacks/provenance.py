"""Which code and which bytes a number comes from."""

import hashlib
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypedDict

PACKAGE = "ppvd"
GIT_SECONDS = 10.0


class CodeVersion(TypedDict):
    """The package's version and, in a checkout, its commit and whether files differ from it."""

    version: str | None
    commit: str | None
    modified: bool | None


def code_version(folder: Path | None = None) -> CodeVersion:
    """Say which code is running.

    Args:
        folder: A folder of the code; the package's own by default.

    Returns:
        Version and commit; ``None`` for what cannot be known, as without git or a checkout.
    """
    folder = folder or Path(__file__).parents[1]
    try:
        installed = version(PACKAGE)
    except PackageNotFoundError:
        installed = None
    # A package installed below someone else's repository is not tracked there.
    commit = _git(folder, "rev-parse", "HEAD") if _git(folder, "ls-files", "--", ".") else None
    changes = None if commit is None else _git(folder, "status", "--porcelain", "--", ".")
    return {
        "version": installed,
        "commit": commit,
        "modified": None if changes is None else bool(changes),
    }


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
