"""jsonargparse's nested complaint -> one sentence with the key, the demand and the value."""

import inspect
import re
from collections.abc import Iterator, Sequence
from importlib import import_module

import lightning.pytorch.callbacks
import lightning.pytorch.loggers
from lightning import Trainer

import ppvd
from ppvd.cli.layers import Layer
from ppvd.cli.mistakes import did_you_mean

_SECTIONS = (
    "model",
    "data",
    "trainer",
    "protocols",
    "seed_everything",
    "ckpt_path",
    "experiment",
    "config",
)
_UNKNOWN = re.compile(r"(?:[Oo]ption '([\w.+]+)'|unrecognized arguments: --([\w.+-]+))")
_CLASS = re.compile(r"class_path[ =]'([\w.]+)'")
_NO_CLASS = re.compile(r"(?:import path string: |no attribute '|No module named ')([\w.]+)")
_OTHER_CLASS = re.compile(r"'?([\w.]+)'? (?:does not correspond to|to be) a subclass of ([\w.]+)")
_WRAPPER = re.compile("Does not validate|Problem with given|Parser key|Type .* expects a function")
_KEY = re.compile(r'Parser key "([\w.+]+)"')
_TYPE = re.compile(r"<class '(?:[\w.]+\.)?(\w+)'>")
_LITERAL = re.compile(r"typing\.Literal\[(.*?)\]")


def explain(error: Exception, *, sources: Sequence[Layer], options: Sequence[str]) -> str:
    """Return the sentence.

    Args:
        error: What jsonargparse raised; its causes lead to the innermost complaint.
        sources: Configuration files that were read, in their order.
        options: Options of the command line.
    """
    complaints = [str(link) for link in _causes(error)]
    path = _path(complaints)
    innermost = complaints[-1]
    written = [*_flatten_all(sources), *_split_options(options)]
    if "arguments are required" in innermost:
        return _required(path, innermost)
    if unknown := _UNKNOWN.search(innermost):
        return _unknown_key([*path, *(unknown[1] or unknown[2]).split(".")], complaints, written)
    if wrong := _OTHER_CLASS.search(innermost):
        return _wrong_class(path, wrong[1], wrong[2], written)
    if missing := _NO_CLASS.search(innermost):
        return _unknown_class(path, missing[1], written)
    if "Expected a" in innermost:
        return _wrong_type(path, complaints, written)
    return f"{'.'.join(path) or 'configuration'}: {' '.join(innermost.split())}"


def unwrapped(error: BaseException) -> BaseException:
    """Return what a constructor raised, without what jsonargparse wrapped around it."""
    for link in _causes(error):
        if not _WRAPPER.match(str(link)):
            return link
    return error


def parameters(class_path: str) -> list[str]:
    """Return the names that a class takes, those that it passes on to its bases included."""
    module, _, name = class_path.rpartition(".")
    names: list[str] = []
    for base in inspect.getmro(getattr(import_module(module), name)):
        if "__init__" not in vars(base):
            continue
        signature = inspect.signature(vars(base)["__init__"]).parameters.values()
        names += [p.name for p in signature if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)][1:]
        if not any(p.kind is p.VAR_KEYWORD for p in signature):
            break
    return list(dict.fromkeys(names))


def _required(path: list[str], complaint: str) -> str:
    names = re.sub(r"\b(fit|validate|test|predict)\.", "", complaint.split("required: ")[-1])
    if path:
        return f"{'.'.join(path)} requires {names}"
    return (
        f"no {names.replace(', ', ' and no ')} given; name a recipe (-c experiments/NAME.yaml) "
        f"or a run to go on from (--ckpt_path lightning_logs/NAME/version_N)"
    )


def _unknown_key(path: list[str], complaints: list[str], written: "Written") -> str:
    owners = [match for text in complaints for match in _CLASS.findall(text)]
    key, origin, _ = _locate(path, written)
    if path[0] == "trainer" and len(path) == 2:
        known = list(inspect.signature(Trainer).parameters)
    elif owners:
        known = parameters(owners[-1])
    elif places := _sections_that_take(path[0], written):
        full = [".".join([place, *path[1:]]) for place in places]
        return f"unknown key {key}{origin}; did you mean {' or '.join(full)}?"
    else:
        known = list(_SECTIONS)
    nearest = did_you_mean(path[-1], known)
    return f"unknown key {key}{origin}{nearest or '; known there: ' + ', '.join(known)}"


def _sections_that_take(name: str, written: "Written") -> list[str]:
    """Return the keys of ``name`` where the trainer, or the written model or data, takes it."""
    classes = {"trainer": "lightning.Trainer"}
    for key, _, value in written:
        if isinstance(value, str) and (class_name := value.removeprefix("ppvd.")) in ppvd.__all__:
            classes[key.removesuffix(".class_path")] = f"ppvd.{class_name}"
    places = {"model": "model.init_args", "data": "data.init_args", "trainer": "trainer"}
    return [
        f"{place}.{name}"
        for section, place in places.items()
        if section in classes and name in parameters(classes[section])
    ]


def _unknown_class(path: list[str], name: str, written: "Written") -> str:
    known = [
        *ppvd.__all__,
        *lightning.pytorch.callbacks.__all__,
        *lightning.pytorch.loggers.__all__,
    ]
    key, origin, found = _locate(path, written, value=name)
    nearest = did_you_mean(name.rpartition(".")[2], known)
    return f"{key}{origin} names no class: {found or name}{nearest}"


def _wrong_type(path: list[str], complaints: list[str], written: "Written") -> str:
    demand, _, value = complaints[-1].split("Expected a ", 1)[-1].partition(". Got value: ")
    whole = [text for text in complaints if _KEY.match(text)][-1]
    if "Subtypes: [" in whole:
        subtypes = whole.split("Subtypes: [", 1)[1].splitlines()[0]
        demand = subtypes.removesuffix("]").replace(", ", " or ")
    key, origin, found = _locate(path, written, value=value or None)
    shown = _TYPE.sub(r"\1", demand).replace("NoneType", "None")
    shown = _LITERAL.sub(lambda words: words[1].replace("'", "").replace(", ", " or "), shown)
    shown = " or ".join(dict.fromkeys(shown.split(" or ")))
    return f"{key}{origin} must be {shown}, got {value or found}"


def _wrong_class(path: list[str], name: str, demand: str, written: "Written") -> str:
    key, origin, _ = _locate(path, written, value=name)
    return f"{key}{origin} must name a subclass of {demand}, got {name}"


# Where it was written.

Written = list[tuple[str, str, object]]


def _locate(path: list[str], written: Written, value: str | None = None) -> tuple[str, str, object]:
    """Return the full key, `` in <origin>`` and value of the last entry that fits."""
    fitting = [entry for entry in written if _fits(path, entry[0].split("."), value)]
    exact = [entry for entry in fitting if value is None or str(entry[2]) == value]
    for key, origin, found in reversed(exact or fitting):
        return key, f" in {origin}" if origin else "", found
    return ".".join(path), "", value


def _fits(path: list[str], key: list[str], value: str | None) -> bool:
    """Tell whether ``path`` is ``key`` with ``init_args`` and names of entries left out."""
    rest = iter(key)
    inside = all(part in rest for part in path)
    return inside and (value is not None or key[-1] == path[-1])


def _flatten_all(sources: Sequence[Layer]) -> Iterator[tuple[str, str, object]]:
    for source in sources:
        for key, value in _flatten(source.config, ""):
            yield key, source.origin, value


def _flatten(value: object, key: str) -> Iterator[tuple[str, object]]:
    if key:
        yield key, value
    listed = dict(enumerate(value)) if isinstance(value, list) else value
    items = listed.items() if isinstance(listed, dict) else ()
    for name, inner in items:
        yield from _flatten(inner, f"{key}.{name}" if key else str(name))


def _split_options(options: Sequence[str]) -> Iterator[tuple[str, str, object]]:
    for option, after in zip(options, [*options[1:], None], strict=False):
        if option.startswith("--"):
            key, equals, value = option[2:].partition("=")
            yield key, "", value if equals else after


def _path(complaints: list[str]) -> list[str]:
    """Return the keys that lead to the innermost complaint, from the outermost in."""
    keys: list[str] = []
    for text in complaints:
        key = _KEY.match(text)
        if key and (not keys or key[1] != keys[-1]):
            keys.append(key[1])
    return ".".join(keys).split(".") if keys else []


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
