"""What a protocol is made of, in words that JSON can carry, and a hash over them."""

import dataclasses
import hashlib
import inspect
import json
from collections.abc import Mapping
from pathlib import PurePath

from torchmetrics import Metric

DIGITS = 12


def describe(value: object) -> object:
    """Describe a value: dataclasses by their fields, metrics by the arguments that they keep.

    A metric keeps an argument if it has an attribute of that name.
    """
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, tuple | list):
        return [describe(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): describe(item) for name, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [one.name for one in dataclasses.fields(value) if one.init]
        return _of_class(value, names)
    if isinstance(value, Metric):
        arguments = inspect.signature(type(value)).parameters
        return _of_class(value, [name for name in arguments if hasattr(value, name)])
    return getattr(value, "__name__", None) or repr(value)


def digest(value: object) -> str:
    """Return a short hash of a description."""
    text = json.dumps(describe(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def _of_class(value: object, names: list[str]) -> dict[str, object]:
    parts = {name: describe(getattr(value, name)) for name in names}
    return {"class": type(value).__name__, **parts}
