"""Seeds to frames and clips."""

from typing import Literal, get_args

from ppvd.data.frame import Frame
from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.rendering import render
from ppvd.data.sources.synthetic.scene import Scene
from ppvd.data.sources.synthetic.world import indoor_scene, street_scene, yard_scene

Clip = list[Frame]
"""Consecutive frames of one scene, in order."""

World = Literal["everyday", "yard", "walk"]
"""Rooms and streets; or walled yards with a few plain solids, which small networks learn soon.

A walk is a yard in which the camera goes to and fro by metres, so that a clip's range changes."""


def render_frame(
    seed: int, *, size: tuple[int, int] = (256, 256), world: World = "everyday"
) -> Frame:
    """Render the scene that ``seed`` stands for, as it is at time 0.

    Depth is the analytic intersection of one ray at each pixel's centre; only colour is
    anti-aliased. The result depends on the arguments alone, to the bit on every machine with
    IEEE 754 arithmetic: see `portable`.

    Args:
        seed: What the scene depends on, not negative.
        size: Height and width in pixels; the angle of view across the diagonal is the seed's.
        world: Where it is; half of all everyday seeds are rooms, half are streets.

    Raises:
        ValueError: If an argument is out of its range.
    """
    return _frame(seed, size, world, index=0, fps=1.0)


def render_clip(
    seed: int,
    *,
    num_frames: int,
    size: tuple[int, int] = (256, 256),
    fps: float = 12.0,
    world: World = "everyday",
) -> Clip:
    """Render what happens in the scene of ``seed`` from time 0; see `render_frame`.

    The camera is carried about in its place; something moves in every scene (a walker, a ball,
    cars). The first frame is that of `render_frame`.

    Args:
        seed: What the scene depends on, not negative.
        num_frames: Frames, at least 1.
        size: Height and width in pixels.
        fps: Frames a second of the scene's time, positive.
        world: Where it is, as in `render_frame`.

    Raises:
        ValueError: If an argument is out of its range.
    """
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    if not 0.0 < fps < float("inf"):
        raise ValueError(f"fps must be a positive number, got {fps}")
    return [_frame(seed, size, world, index=index, fps=fps) for index in range(num_frames)]


def scene_of(seed: int, *, time_s: float = 0.0, world: World = "everyday") -> Scene:
    """Return the scene that ``seed`` stands for in ``world``, at ``time_s`` seconds.

    Raises:
        ValueError: If ``seed`` is negative or there is no such world.
    """
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    if world not in get_args(World):
        raise ValueError(f"world must be one of {get_args(World)}, got {world!r}")
    if world != "everyday":
        return yard_scene(Dice(seed, stream=1), time_s, walks=world == "walk")
    build = indoor_scene if Dice(seed).chance(0.5) else street_scene
    return build(Dice(seed, stream=1), time_s)


def _frame(seed: int, size: tuple[int, int], world: World, *, index: int, fps: float) -> Frame:
    height, width = _checked(size)
    scene = scene_of(seed, time_s=index / fps, world=world)
    picture = render(scene, height, width)
    name = f"{scene.kind}-{seed:010d}"
    return Frame(
        image=picture.image,
        depth=picture.depth,
        valid=picture.valid,
        sky=picture.sky,
        intrinsics=picture.intrinsics,
        pose=picture.pose,
        key=f"{name}-{index:05d}",
        scene=name,
        index=index,
        source=(f"seed {seed}",),
        metadata={"things": list(scene.things), "time_s": index / fps},
    )


def _checked(size: tuple[int, int]) -> tuple[int, int]:
    sides = tuple(size)
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"size must be a height and a width in whole pixels, got {size!r}")
    return sides[0], sides[1]
