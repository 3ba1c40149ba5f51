"""The cross-section of a street."""

from dataclasses import dataclass

from ppvd.data.sources.synthetic.portable import Dice


@dataclass(frozen=True, slots=True)
class Profile:
    """Distances from the middle of the road in metres, the same on both sides.

    Attributes:
        road: Edge of the road.
        walk: Outer edge of the pavement; equal to ``road`` where there is none.
        front: Front of the houses.
        density: Share of lots that carry a house.
        tall: Whether blocks of flats may stand there.
    """

    road: float
    walk: float
    front: float
    density: float
    tall: bool

    @classmethod
    def draw(cls, dice: Dice) -> "Profile":
        """Draw a town street, a suburb or a country road."""
        kind, road = dice.count(0, 2), dice.uniform(4.6, 5.5)
        if kind == 0:
            walk = road + dice.uniform(2.0, 3.2)
            return cls(road, walk, walk + dice.uniform(0.0, 0.8), 1.0, dice.chance(0.6))
        if kind == 1:
            walk = road + dice.uniform(1.6, 2.3)
            return cls(road, walk, walk + dice.uniform(3.0, 6.0), 0.85, tall=False)
        road = dice.uniform(2.8, 3.6)
        return cls(road, road, road + dice.uniform(5.0, 9.0), 0.3, tall=False)

    @property
    def has_gardens(self) -> bool:
        """Whether there is room between the pavement and the houses."""
        return self.front - self.walk > 1.5

    @property
    def has_pavement(self) -> bool:
        """Whether there is a pavement, and with it a place to park."""
        return self.walk > self.road
