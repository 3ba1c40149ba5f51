"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

READABLE = 0o644


def write_whole(path: Path, content: bytes) -> None:
    """Write beside ``path`` under a passing name, then rename; missing folders are made.

    A crash, also of the machine, leaves the old file or the new one.

    Args:
        path: Where to; an existing file is replaced.
        content: All of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        passing = Path(file.name)
        try:
            file.write(content)
            file.flush()
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
