"""What the person wrote: recipes and options of a Lightning verb, before any class is built."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ppvd.cli.mistakes import UsageError, did_you_mean


@dataclass(frozen=True)
class Given:
    """The words after a verb, sorted.

    Attributes:
        files: Recipes in the order in which later ones win: as given, but models before
            benchmarks, so that a recipe's own data never take the place of a benchmark's.
        recipes: Their content.
        options: All other words.
        ckpt_path: Checkpoint asked for on the command line, else in a recipe.
        experiment: Name of the experiment asked for.
        stem: File name of the first recipe given, without its suffix.
    """

    files: tuple[str, ...]
    recipes: tuple[dict[str, Any], ...]
    options: tuple[str, ...]
    ckpt_path: str | None
    experiment: str | None
    stem: str | None

    @property
    def is_recipe(self) -> bool:
        """Tell whether a model or data are given, and not only changes to them."""
        return self.names("model") or self.names("data")

    def names(self, section: str) -> bool:
        """Tell whether a class is given for ``section``: ``model`` or ``data``."""
        flags = (f"--{section}", f"--{section}.class_path")
        in_recipe = any("class_path" in _mapping(r.get(section)) for r in self.recipes)
        return in_recipe or any(option.split("=", 1)[0] in flags for option in self.options)

    def setting(self, section: str, key: str) -> object:
        """Return what is given for ``section.key``, the last word of it; ``None``: nothing."""
        values = [_mapping(recipe.get(section)).get(key) for recipe in self.recipes]
        flag = f"--{section}.{key}"
        for word, following in zip(self.options, (*self.options, None)[1:], strict=True):
            name, equals, value = word.partition("=")
            if name == flag:
                values.append(value if equals else following)
        return next((value for value in reversed(values) if value is not None), None)


def read_words(words: list[str]) -> Given:
    """Sort the words after a verb; reads the recipes.

    Raises:
        UsageError: If a recipe is missing or is no YAML mapping.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-c", "--config", action="append", default=[])
    parser.add_argument("--ckpt_path")
    parser.add_argument("--experiment")
    try:
        known, options = parser.parse_known_args(words)
    except argparse.ArgumentError as error:
        raise UsageError(str(error)) from error
    read = [(file, _read_recipe(file)) for file in known.config]
    if any("protocols" in recipe for _, recipe in read):
        read.sort(key=lambda one: "class_path" not in _mapping(one[1].get("model")))
    recipes = tuple(recipe for _, recipe in read)
    settings: dict[str, Any] = {}
    for recipe in recipes:
        settings.update(recipe)
    return Given(
        files=tuple(file for file, _ in read),
        recipes=recipes,
        options=tuple(options),
        ckpt_path=known.ckpt_path or settings.get("ckpt_path"),
        experiment=known.experiment or settings.get("experiment"),
        stem=Path(known.config[0]).stem if known.config else None,
    )


def _mapping(value: object) -> dict[str, Any]:
    """Return a section's mapping; a class name alone stands for its ``class_path``."""
    if isinstance(value, str):
        return {"class_path": value}
    return value if isinstance(value, dict) else {}


def _read_recipe(file: str) -> dict[str, Any]:
    path = Path(file)
    if not path.is_file():
        siblings = [str(p) for p in path.parent.glob("*.yaml")]
        raise UsageError(f"recipe {file} does not exist{did_you_mean(file, siblings)}")
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise UsageError(f"recipe {file} must be YAML: {where}{error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"recipe {file} must be YAML text: {error}") from error
    if not isinstance(recipe, dict):
        raise UsageError(f"recipe {file} must be a mapping of keys, got {recipe!r}")
    return recipe
