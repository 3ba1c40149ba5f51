"""The package's own names are those of its rooms."""

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

import ppvd

ROOMS = sorted(path.parent.name for path in Path(ppvd.__file__).parent.glob("*/__init__.py"))


def test_every_public_name_of_one_room_alone_is_a_name_of_the_package():
    modules = [import_module(f"ppvd.{room}") for room in ROOMS if room != "cli"]
    uses = Counter(name for module in modules for name in module.__all__)
    for module in modules:
        for name in module.__all__:
            if uses[name] == 1:
                assert getattr(ppvd, name) is getattr(module, name)
            else:
                assert name not in ppvd.__all__


def test_the_names_are_sorted_and_no_room_s():
    assert sorted(ppvd.__all__) == ppvd.__all__
    assert len(set(ppvd.__all__)) == len(ppvd.__all__)
    assert not set(ppvd.__all__) & set(ROOMS)


def test_every_name_of_the_package_exists():
    assert all(getattr(ppvd, name) is not None for name in ppvd.__all__)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'PDP'"):
        _ = ppvd.PDP
