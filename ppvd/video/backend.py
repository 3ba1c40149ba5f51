"""PyAV, which is an extra: photographs need no video."""

from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

# An object of PyAV: the checks must say the same where it is not installed.
AvObject: TypeAlias = Any


@cache
def av() -> AvObject:
    """Return the module.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        return import_module("av")
    except ImportError as error:
        raise ImportError("reading video needs PyAV: pip install 'ppvd[video]'") from error
