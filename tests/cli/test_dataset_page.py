"""The page of the data sets is held to the readers: its commands are those that there are."""

import re
import shlex
from pathlib import Path

import pytest

from ppvd.cli.shards import _parser
from ppvd.data.sources import DOWNLOADS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/datasets.md").read_text()
COMMANDS = re.findall(r"^ppvd shards (.*?)(?: +#.*)?$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_understood(command):
    args = shlex.split(command)
    assert _parser(args).parse_args(args).run


def test_every_set_has_a_command_and_a_row():
    for name in map(str.lower, DOWNLOADS):
        assert any(command.startswith(f"build {name} ") for command in COMMANDS)
        assert f"| `{name}` |" in PAGE


def test_recipes_and_benchmarks_find_their_sets_where_the_page_puts_them():
    built = set(re.findall(r"--out \$PPVD_DATA/(\S+)", PAGE))
    for recipe in (
        *(ROOT / "experiments/data").glob("*.yaml"),
        *(ROOT / "benchmarks").glob("*.yaml"),
    ):
        named = set(
            re.findall(r"manifest: (?:\$PPVD_DATA|data_shards)/([^,}\s]+)", recipe.read_text())
        )
        assert named - {"demo/train", "demo/test", "demo/photo"} <= built, recipe


def test_files_that_the_page_names_exist():
    for name in re.findall(r"(?:experiments|benchmarks)/[\w/.-]+\.yaml", PAGE):
        assert (ROOT / name).is_file(), name
