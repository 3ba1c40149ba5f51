"""What ``ppvd depth`` says of a clip: how to read its files, and how steady its depth is."""

from collections.abc import Sequence
from math import isfinite, nan
from typing import Any

import torch

from ppvd.callbacks import DepthFiles
from ppvd.cli.clip_files import near_is_high
from ppvd.tasks import DepthTask
from ppvd.video import CODE_LIMITS, CODE_STEP, ClipProgress, Curve, FrameSource, Wobble, draw_curves
from ppvd.video.frame import Picture


def clip_note(
    source: FrameSource,
    task: DepthTask,
    files: DepthFiles,
    done: ClipProgress,
    *,
    complete: bool,
    repeated: Sequence[int],
    wobble: Wobble,
) -> dict[str, Any]:
    """Say how to read the files, and how well the windows fit together."""
    ends = task.codec.range_between(files.near_m, files.far_m)
    low, high = float(ends.low), float(ends.high)
    step = CODE_STEP * (high - low)
    fits, seams = done.tensors.get("fits", torch.empty(0, 2)), done.tensors.get("seams", ())
    windows = [
        {"scale": scale, "shift": shift, "seam_rms": float(seam)}
        for (scale, shift), seam in zip(fits.tolist(), seams, strict=True)
    ]
    return {
        "depth": f"metres along the optical axis, up to scale and shift of {task.codec.unit}",
        "assumed": {"near_m": files.near_m, "far_m": files.far_m},
        "near_is_high": near_is_high(task.codec),
        "sixteen_bits": {
            "formula": f"{task.codec.unit} = first + (value - 1) * step",
            "first": low + (CODE_LIMITS[0] + 0.5) * (high - low),
            "step": step,
            "invalid": 0,
        },
        "num_frames": done.num_frames,
        "complete": complete,
        "fps": float(source.rate),
        "repeated_frames": [number for number in repeated if number < done.num_frames],
        "windows": windows,
        "wobble": {
            "mean": _number(wobble.mean),
            "still_share": _number(wobble.shares[1:].mean() if len(wobble.shares) > 1 else nan),
            "frames": [_number(change) for change in wobble.changes],
        },
    }


def clip_plot(source: FrameSource, done: ClipProgress, wobble: Wobble) -> Picture:
    """Draw the report: how windows were fitted, what is left at their seams, and the wobble."""
    fits = done.tensors.get("fits", torch.empty(0, 2)).cpu().numpy()
    seams = done.tensors.get("seams", torch.empty(0)).cpu().numpy()
    held = (
        ("scale of each window", fits[:, 0]),
        ("shift of each window", fits[:, 1]),
        ("seam of each window with those before, RMS of codes", seams),
    )
    curves = [
        Curve(title=title, times=wobble.starts, values=values, is_held=True)
        for title, values in held
        if len(values)
    ]
    title = "wobble: mean change of codes from frame to frame where the picture stands still"
    curves.append(Curve(title=title, times=wobble.times, values=wobble.changes))
    return draw_curves(curves, seconds=float(wobble.times[-1] + 1 / source.rate))


def _number(value: float) -> float | None:
    return round(float(value), 6) if isfinite(value) else None
