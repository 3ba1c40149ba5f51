"""Seeds to frames and clips."""

from ppvd.data.frame import Frame
from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.rendering import render
from ppvd.data.sources.synthetic.scene import Scene
from ppvd.data.sources.synthetic.world import indoor_scene, street_scene

Clip = list[Frame]
"""Consecutive frames of one scene, in order."""


def render_frame(seed: int, *, size: tuple[int, int] = (256, 256)) -> Frame:
    """Render the scene that ``seed`` stands for, as it is at time 0.

    Depth is the analytic intersection of one ray at each pixel's centre; only colour is
    anti-aliased. The result depends on the arguments alone, to the bit on every machine with
    IEEE 754 arithmetic: see `portable`.

    Args:
        seed: What the scene depends on, not negative; about half of all seeds are rooms.
        size: Height and width in pixels; the angle of view across the diagonal is the seed's.

    Raises:
        ValueError: If an argument is out of its range.
    """
    return _frame(seed, size, index=0, fps=1.0)


def render_clip(
    seed: int, *, num_frames: int, size: tuple[int, int] = (256, 256), fps: float = 12.0
) -> Clip:
    """Render what happens in the scene of ``seed`` from time 0; see `render_frame`.

    The camera is carried about in its place; something moves in every scene (a walker, a ball,
    cars). The first frame is that of `render_frame`.

    Args:
        seed: What the scene depends on, not negative.
        num_frames: Frames, at least 1.
        size: Height and width in pixels.
        fps: Frames a second of the scene's time, positive.

    Raises:
        ValueError: If an argument is out of its range.
    """
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, got {num_frames}")
    if not 0.0 < fps < float("inf"):
        raise ValueError(f"fps must be a positive number, got {fps}")
    return [_frame(seed, size, index=index, fps=fps) for index in range(num_frames)]


def scene_of(seed: int, *, time_s: float = 0.0) -> Scene:
    """Return the world that ``seed`` stands for, at ``time_s`` seconds.

    Raises:
        ValueError: If ``seed`` is negative.
    """
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    build = indoor_scene if Dice(seed).chance(0.5) else street_scene
    return build(Dice(seed, stream=1), time_s)


def _frame(seed: int, size: tuple[int, int], *, index: int, fps: float) -> Frame:
    height, width = _checked(size)
    scene = scene_of(seed, time_s=index / fps)
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
