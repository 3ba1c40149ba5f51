"""What stands in a scene, by name, while it is being built."""

from collections.abc import Iterable

from ppvd.data.sources.synthetic.portable import Vector
from ppvd.data.sources.synthetic.scene import Solid
from ppvd.data.sources.synthetic.world.shapes import placed


class Things:
    """Groups of solids, each with the name of what they look like."""

    def __init__(self) -> None:
        self._groups: dict[str, list[Solid]] = {}

    def add(self, name: str, solids: Iterable[Solid]) -> None:
        """Add solids that are where they belong."""
        self._groups.setdefault(name, []).extend(solids)

    def place(self, name: str, solids: Iterable[Solid], *, at: Vector, yaw: float = 0.0) -> None:
        """Turn solids to the left by ``yaw`` radians, move them to ``at``, and add them."""
        self.add(name, placed(solids, at=at, yaw=yaw))

    def __contains__(self, name: str) -> bool:
        return bool(self._groups.get(name))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all that stands there, sorted, each once."""
        return tuple(sorted(name for name, group in self._groups.items() if group))

    @property
    def solids(self) -> tuple[Solid, ...]:
        """All solids."""
        return tuple(solid for group in self._groups.values() for solid in group)
