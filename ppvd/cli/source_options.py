"""The options of ``ppvd shards build NAME``: those that the reader's class has, from its docstring.

So a new data set is one class and one line in `ppvd.data.sources`, and no code here.
"""

import argparse
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import docstring_parser

if TYPE_CHECKING:
    from ppvd.data.raw import RawSource


def add_options(parser: argparse.ArgumentParser, source: "type[RawSource]") -> None:
    """Add an option for each field of ``source``, and describe the data set."""
    documents = [docstring_parser.parse(cls.__doc__ or "") for cls in reversed(source.__mro__)]
    helps = {item.arg_name: item.description or "" for page in documents for item in page.params}
    about = import_module(source.__module__).__doc__ or ""
    parser.description = f"{about.strip()}\n\nLicence: {source.licence}."
    kinds = get_type_hints(source)
    for field in fields(source):
        kind = Literal[source.splits] if field.name == "split" else kinds[field.name]
        words = _words(field, kind, " ".join(helps[field.name].split()))
        parser.add_argument(f"--{field.name.replace('_', '-')}", **words)


def build_source(source: "type[RawSource]", options: argparse.Namespace) -> "RawSource":
    """Return the source that the options ask for.

    Raises:
        ValueError: If an option cannot be used.
    """
    given: dict[str, Any] = {}
    for field in fields(source):
        value = getattr(options, field.name)
        given[field.name] = tuple(value) if isinstance(value, list) else value
    return source(**given)


def _words(field: "Field[Any]", kind: object, text: str) -> Mapping[str, Any]:
    """Return the keyword arguments of ``add_argument`` for a field of type ``kind``."""
    text = text.replace("%", "%%")
    if field.default is MISSING:
        return {"required": True, **_type(kind), "help": text}
    default = field.default
    if field.name == "split" and default not in get_args(kind):
        default = get_args(kind)[0]
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
    ending = "" if default in (None, False, ()) else f" (default: {shown})"
    return {"default": default, **_type(kind), "help": text + ending}


def _type(kind: object) -> Mapping[str, Any]:
    if get_origin(kind) is UnionType:
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    if kind is bool:
        return {"action": "store_true"}
    if get_origin(kind) is Literal:
        return {"choices": get_args(kind)}
    if get_origin(kind) is tuple:
        return {"type": get_args(kind)[0], "nargs": "*", "metavar": "NAME"}
    assert kind in (int, float, str, Path), f"no option can be made of {kind}"
    metavar = {int: "N", float: "X", str: "TEXT", Path: "PATH"}[kind]
    return {"type": kind, "metavar": metavar}
