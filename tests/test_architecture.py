"""Who may import whom: the table of the rooms, held by walking the imports."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ppvd"
EVERYTHING = {p.name for p in PACKAGE.iterdir() if p.is_dir()} | {"batch", "slurm", "whole"}

MAY_IMPORT = {
    "cli": EVERYTHING,
    "callbacks": {"flow", "geometry", "metrics", "predictions", "protocols", "batch"},
    "scale": {"callbacks", "nn", "semantics", "tasks"},
    "tasks": {
        "flow",
        "geometry",
        "nn",
        "semantics",
        "losses",
        "metrics",
        "predictions",
        "protocols",
        "weights",
        "batch",
    },
    "protocols": {"geometry", "metrics", "batch"},
    "predictions": {"protocols"},
    "report": {"metrics"},
    "data": {"geometry", "batch"},
    "video": {"geometry"},
    "metrics": {"geometry"},
    "losses": {"geometry"},
    "semantics": {"nn"},
    "weights": {"nn", "semantics"},
    "sweep": {"slurm"},
    "flow": set(),
    "geometry": set(),
    "nn": set(),
    "batch": set(),
    "slurm": set(),
    "whole": set(),
}
LIGHTNING_ALLOWED = {"tasks", "callbacks", "cli", "scale", "data/datamodule.py"}


def imported_modules(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the room"
            names.add(node.module or "")
    return names


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


SOURCES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.parent != PACKAGE or path.stem in {"batch", "slurm", "whole"}
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_its_neighbours(path):
    room = room_of(path)
    ours = {name.split(".")[1] for name in imported_modules(path) if name.startswith("ppvd.")}
    assert ours - {room, "whole"} <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_lightning_stays_in_its_rooms(path):
    uses = any(
        name.split(".")[0] in {"lightning", "pytorch_lightning"} for name in imported_modules(path)
    )
    allowed = (
        room_of(path) in LIGHTNING_ALLOWED or str(path.relative_to(PACKAGE)) in LIGHTNING_ALLOWED
    )
    assert allowed or not uses


def test_every_room_is_in_the_table():
    rooms = {p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    assert rooms <= set(MAY_IMPORT)
