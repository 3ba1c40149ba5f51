"""An override never lies: command line over recipe over checkpoint over default.

Stock LightningCLI lets what a checkpoint remembers win over what the person wrote. Here the
checkpoint's memory is the lowest layer of the configuration, and the recipes and options given
lie on top of it, so that jsonargparse's own "later wins" does the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ppvd.cli.checkpoint import Checkpoint
from ppvd.cli.given import Given

Config = dict[str, object]
Difference = tuple[str, object, object]  # Name, remembered value, used value.


@dataclass(frozen=True)
class Layer:
    """Part of a configuration.

    Attributes:
        origin: The file it is from.
        config: The settings.
        what: What the person should be told comes from there; empty: nothing.
    """

    origin: str
    config: Config
    what: str = ""


def remembered_layers(verb: str, given: Given, checkpoint: Checkpoint | None) -> list[Layer]:
    """Return what lies under the recipes and options given, lowest first.

    It is the model that the checkpoint remembers; the run's own data, if no data are given; and
    for ``fit`` without a recipe all of the run's own configuration, so that it goes on.
    """
    if checkpoint is None:
        return []
    layers = []
    saved, origin = checkpoint.run_config, str(checkpoint.run / "config.yaml")
    if saved and not given.names("data"):
        if verb == "fit" and not given.is_recipe:
            layers.append(Layer(origin, _without_names(saved), "configuration"))
        else:
            layers.append(Layer(origin, {"data": saved.get("data")}, "data"))
    if checkpoint.model:
        layers.append(Layer(str(checkpoint.path), {"model": checkpoint.model}))
    return layers


def keep_same_classes(remembered: Config, used: object) -> Config:
    """Return ``remembered`` without the parts whose class is another in ``used``.

    A class given anew stands whole: none of the settings of the class that it replaces leak
    into it, not even those with the same name.
    """
    if not isinstance(used, dict):
        return remembered
    kept = {k: v for k, v in remembered.items() if not _other_class(v, used.get(k))}
    return {
        name: keep_same_classes(value, used.get(name)) if isinstance(value, dict) else value
        for name, value in kept.items()
    }


def differences(remembered: object, used: object, name: str) -> Iterator[Difference]:
    """Yield (name, remembered value, used value) where a setting is not as remembered.

    A part whose class is another is one difference: its class.
    """
    if isinstance(remembered, dict) and isinstance(used, dict):
        if _other_class(remembered, used):
            yield f"{name}.class_path", remembered["class_path"], used["class_path"]
            return
        keys = [*remembered, *(key for key in used if key not in remembered)]
        for key in (key for key in keys if key != "class_path"):
            yield from differences(remembered.get(key), used.get(key), f"{name}.{key}")
    elif remembered != used:
        yield name, remembered, used


def table(rows: list[Difference]) -> str:
    """Return the differences as lines of ``name: remembered -> used``, aligned."""
    width = max(len(name) for name, _, _ in rows)
    return "\n".join(
        f"  {name:<{width}}  {_short(old)} -> {_short(new)}" for name, old, new in rows
    )


def _other_class(remembered: object, used: object) -> bool:
    before, now = _class_path(remembered), _class_path(used)
    if before is None or now is None or before == now:
        return False
    return _resolve(before) is not _resolve(now)  # ppvd.PPD is ppvd.tasks.PPD.


def _class_path(value: object) -> str | None:
    return value.get("class_path") if isinstance(value, dict) else None


def _resolve(class_path: str) -> object:
    module, _, name = class_path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):  # A class of another version: its name must do.
        return class_path


def _without_names(saved: dict[str, Any]) -> Config:
    """Return a run's configuration without what named that very run's folder."""
    given = saved.get("trainer", {}).get("logger")
    for logger in given if isinstance(given, list) else [given]:
        if isinstance(logger, dict) and logger["init_args"].get("name") == saved.get("experiment"):
            logger["init_args"]["name"] = None
    return saved


def _short(value: object) -> str:
    return _class_path(value) or str(value)
