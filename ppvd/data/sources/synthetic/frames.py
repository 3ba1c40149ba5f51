"""Seeds to frames and clips."""

from ppvd.data.frame import Frame
from ppvd.data.sources.synthetic.indoor import indoor_scene
from ppvd.data.sources.synthetic.portable import Dice
from ppvd.data.sources.synthetic.render import render
from ppvd.data.sources.synthetic.scene import Scene
from ppvd.data.sources.synthetic.street import street_scene

Clip = list[Frame]
"""Consecutive frames of one scene."""


def scene_of(seed: int, *, time_s: float = 0.0) -> Scene:
    """Return the world that ``seed`` stands for, at ``time_s`` seconds.

    Raises:
        ValueError: If ``seed`` is negative.
    """
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    indoor = Dice(seed).chance(0.5)
    dice = Dice(seed, stream=1)
    return indoor_scene(dice, time_s) if indoor else street_scene(dice, time_s)


def render_frame(seed: int, *, size: tuple[int, int] = (256, 256)) -> Frame:
    """Render the scene of ``seed``."""
    return _frame(seed, size, index=0, time_s=0.0)


def render_clip(seed: int, *, num_frames: int, size: tuple[int, int] = (256, 256), fps: float = 12.0) -> Clip:
    """Render consecutive frames."""
    return [_frame(seed, size, index=i, time_s=i / fps) for i in range(num_frames)]


def _frame(seed: int, size: tuple[int, int], *, index: int, time_s: float) -> Frame:
    scene = scene_of(seed, time_s=time_s)
    p = render(scene, *size)
    name = f"{scene.kind}-{seed:08d}"
    return Frame(image=p.image, depth=p.depth, valid=p.valid, sky=p.sky, intrinsics=p.intrinsics, pose=p.pose,
        key=f"{name}-{index:05d}", scene=name, index=index, source=(f"seed-{seed}",), metadata={"things": list(scene.things)})
