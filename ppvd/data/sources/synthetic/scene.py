"""What a scene is made of: values without behaviour.

World axes: x to the right, y ahead, z up, in metres; the floor or the road is z = 0.
"""

from dataclasses import dataclass
from enum import IntEnum

from ppvd.data.sources.synthetic.portable import Vector

Axes = tuple[Vector, Vector, Vector]
UPRIGHT: Axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


class Shape(IntEnum):
    """Solids with an analytic intersection, each in its own box [-1, 1]^3.

    ``taper`` is the size at the top (z = 1) over that at the bottom.
    """

    BOX = 0  # |x|, |y| <= 1 at the bottom, tapering to `taper` at the top: boxes, roofs, wedges
    ROOM = 1  # the inside of a box: the far side is seen, but for rectangular openings
    BALL = 2  # x^2 + y^2 + z^2 <= 1
    FRUSTUM = 3  # x^2 + y^2 <= r(z)^2, r from 1 to taper[0]: cylinders, cones, poles, discs
    LATTICE = 4  # the rectangle y = 0 cut into pickets and two rails: fences, railings
    GROUND = 5  # the half space z <= 0


class Pattern(IntEnum):
    """How a surface is painted; `paint` names one function for each."""

    PLAIN = 0
    TILES = 1
    PLANKS = 2
    BRICKS = 3
    STRIPES = 4
    LEAVES = 5
    FACADE = 6
    STREET = 7
    PICTURE = 8
    BOOKS = 9
    RUG = 10


@dataclass(frozen=True, slots=True)
class Material:
    """Paint of a solid.

    Attributes:
        colour: Main colour, sRGB in [0, 1].
        second: Other colour of the pattern, sRGB in [0, 1].
        pattern: What is painted.
        size_u: Extent of one cell of the pattern across, metres.
        size_v: Extent of one cell of the pattern up or along, metres.
        grain: Contrast of the fine noise on top, 0 for none.
        grain_m: Size of the coarsest blot of that noise, metres.
        glow: Light given off, as a multiple of full white paint in full light.
        seed: Offset into the random tables, so that two walls differ.
    """

    colour: Vector
    second: Vector = (0.5, 0.5, 0.5)
    pattern: Pattern = Pattern.PLAIN
    size_u: float = 1.0
    size_v: float = 1.0
    grain: float = 0.06
    grain_m: float = 1.0
    glow: float = 0.0
    seed: float = 0.0


@dataclass(frozen=True, slots=True)
class Opening:
    """A rectangular hole in a `Shape.ROOM`.

    Attributes:
        face: 0 to 3 for the walls at x = 1, x = -1, y = 1, y = -1.
        low: Its lower corner (along the wall, up) in the room's own box, each in [-1, 1].
        high: Its upper corner.
    """

    face: int
    low: tuple[float, float]
    high: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Solid:
    """One shape in the world.

    Attributes:
        shape: Which.
        centre: Centre of its box in the world, metres.
        half: Half extents along its own axes, metres.
        material: Its paint.
        axes: Its own x, y, z axes in the world, unit length.
        taper: Size at the top over size at the bottom, across x and y; for a lattice: the distance
            between pickets in metres and the width of one as a fraction of it.
        openings: Holes, for a room alone.
        casts: Whether it throws a shadow.
    """

    shape: Shape
    centre: Vector
    half: Vector
    material: Material
    axes: Axes = UPRIGHT
    taper: tuple[float, float] = (1.0, 1.0)
    openings: tuple[Opening, ...] = ()
    casts: bool = True


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the picture is taken from.

    Attributes:
        position: Centre of projection in the world, metres.
        yaw: Turn to the left of +y, radians.
        pitch: Tilt upwards, radians.
        roll: Turn clockwise about the optical axis, radians.
        view_deg: Angle of view across the picture's diagonal, degrees.
    """

    position: Vector
    yaw: float
    pitch: float
    roll: float
    view_deg: float


@dataclass(frozen=True, slots=True)
class Light:
    """One point of light and a dome of ambient light.

    Attributes:
        position: World, metres; the sun is some hundreds of metres away.
        colour: Linear RGB of a white surface that faces the light; for a lamp, at ``reach_m``.
        ambient: Linear RGB of a white surface that faces up, in the shadow.
        shadow: Share of the light that a shadow takes away, 0 to 1.
        bounce: Ambient light on a surface that faces down, as a share of one that faces up.
        reach_m: Distance at which a lamp has lost half of its light at no distance; 0 for the sun.
    """

    position: Vector
    colour: Vector
    ambient: Vector
    shadow: float
    bounce: float
    reach_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Sky:
    """What is seen where nothing is hit, and the haze in front of far things.

    Attributes:
        horizon: sRGB at the horizon, also the colour of the haze.
        zenith: sRGB overhead.
        clouds: Share of the sky that is cloud, 0 to 1.
        haze_m: Distance at which haze hides half of a thing, metres.
        seed: Offset into the noise of the clouds.
    """

    horizon: Vector
    zenith: Vector
    clouds: float
    haze_m: float
    seed: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A world at one moment, ready to be rendered.

    Attributes:
        kind: "indoor", "street" or "yard".
        solids: All shapes.
        things: Names of what stands in it (``table``, ``car``, ...), sorted, each once.
        camera: The view.
        light: The light.
        sky: The sky.
    """

    kind: str
    solids: tuple[Solid, ...]
    things: tuple[str, ...]
    camera: Camera
    light: Light
    sky: Sky
