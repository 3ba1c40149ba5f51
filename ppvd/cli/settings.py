"""The settings of a run that make it what it is, in short names."""

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module

from ppvd.callbacks.hparams import Setting

_WATCHING = {"callbacks", "logger", "enable_progress_bar", "enable_model_summary"}
_EVALUATED = {"val", "test"}
_ALWAYS = {"lr"}
_MISSING = object()


def short_settings(config: dict[str, object], *, options: Iterable[str] = ()) -> dict[str, Setting]:
    """Return what model, data and trainer of a configuration are set to, on one level.

    ``model.init_args.optimizer.init_args.lr`` is ``model.optimizer.lr``, and a class stands by its
    own name where its settings begin. Left out are settings at their class's default, but for the
    rate and what was given on the command line, as a sweep does; sets for evaluation; callbacks
    and loggers, which only watch.

    Args:
        config: The configuration; of the trainer what is not at its default.
        options: Words of the command line.
    """
    kept: dict[str, object] = {n: config[n] for n in ("model", "data", "trainer") if n in config}
    trainer = kept.get("trainer")
    if isinstance(trainer, dict):
        kept["trainer"] = _without(trainer, _WATCHING)
    data = kept.get("data")
    if isinstance(data, dict) and isinstance(data.get("init_args"), dict):
        kept["data"] = {**data, "init_args": _without(data["init_args"], _EVALUATED)}
    given = {_short(word.removeprefix("--").partition("=")[0]) for word in options}
    return {name: value for name, value, told in _flat(kept, "") if told or name in given}


def _flat(value: object, name: str) -> Iterator[tuple[str, Setting, bool]]:
    """Yield names, values, and whether these are not the default."""
    if not isinstance(value, dict):
        if value is not None:
            yield name, _plain(value), True
        return
    if "class_path" not in value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
        return
    yield name, str(value["class_path"]).rpartition(".")[2], True
    defaults = _defaults(str(value["class_path"]))
    for key, inner in (value.get("init_args") or {}).items():
        is_told = key in _ALWAYS or not _same(inner, defaults.get(key, _MISSING))
        yield from ((n, v, told and is_told) for n, v, told in _flat(inner, f"{name}.{key}"))


def _without(settings: dict[str, object], names: set[str]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if name not in names}


def _defaults(class_path: str) -> dict[str, object]:
    module, _, name = class_path.rpartition(".")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def _same(value: object, default: object) -> bool:
    if callable(default) and isinstance(value, str):
        return value.rpartition(".")[2] == getattr(default, "__name__", None)
    return value == default or (isinstance(default, tuple) and value == list(default))


def _plain(value: object) -> Setting:
    """Return a number or words; TensorBoard takes a truth value for a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _short(key: str) -> str:
    return ".".join(part for part in key.split(".") if part not in ("init_args", "class_path"))
