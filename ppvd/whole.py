"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

READABLE = 0o644


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as ``appearing_whole`` does.

    Args:
        path: Where to; an existing file is replaced.
        content: All of it.
    """
    with appearing_whole(path) as passing:
        passing.write_bytes(content)


@contextmanager
def appearing_whole(path: Path) -> Iterator[Path]:
    """Lend a passing name beside ``path``; what is written there is renamed at the end.

    Missing folders are made. A crash, also of the machine, leaves the old file or the new one;
    so does an error within the ``with`` block.

    Args:
        path: Where the file shall appear; an existing file is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    passing = Path(name)
    try:
        yield passing
        with passing.open("rb") as file:
            os.fsync(file.fileno())
        passing.chmod(READABLE)
        passing.replace(path)
    finally:
        passing.unlink(missing_ok=True)


def write_png(path: Path, picture: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write a picture, see ``write_whole``.

    Args:
        path: Where to.
        picture: Red, green, blue, uint8, ``(H, W, 3)``; or one channel, uint16, ``(H, W)``.
    """
    channels = picture[..., ::-1] if picture.ndim == 3 else picture
    encoded = cv2.imencode(".png", channels)[1]
    write_whole(path, encoded.tobytes())
