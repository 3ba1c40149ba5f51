"""Arrays in files of other programs."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def read_array(path: Path) -> NDArray[np.generic]:
    """Read an array of NumPy.

    Raises:
        ValueError: If it is none, or is cut short.
    """
    try:
        array: NDArray[np.generic] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} must be a whole NumPy array: {error}") from error
    return array


def read_member(path: Path, name: str) -> NDArray[np.generic]:
    """Read the array called ``name`` of a file of several.

    Raises:
        ValueError: If there is none.
    """
    with np.load(path, allow_pickle=False) as members:
        if name not in members:
            raise ValueError(f"{path} must hold {name}, got {', '.join(members)}")
        array: NDArray[np.generic] = members[name]
    return array


def only(names: list[str], path: Path) -> str:
    """Return the only name.

    Raises:
        ValueError: If there is not exactly one.
    """
    if len(names) != 1:
        raise ValueError(f"{path} must hold one array, got {', '.join(names)}")
    return names[0]


def read_exr(path: Path) -> NDArray[np.generic]:
    """Read the only channel of an OpenEXR file.

    Raises:
        ValueError: If there are several, or the package OpenEXR is not installed.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise ValueError(f"{path} needs OpenEXR: pip install 'ppvd[raw]'") from error
    with OpenEXR.File(str(path)) as file:
        channels = file.channels()
        name = only(list(channels), path)
        values: NDArray[np.generic] = np.array(channels[name].pixels)
    return values
