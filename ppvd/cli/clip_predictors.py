"""``ppvd depth`` of video: what makes the depth, window by window or frame by frame."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice

import torch
from torch import Tensor

from ppvd.cli.depth import PIXELS
from ppvd.cli.mistakes import UsageError
from ppvd.geometry import WindowChain
from ppvd.tasks import PPVD, DepthTask
from ppvd.tasks.spread import groups_of, spread
from ppvd.video import ClipPredictor

# Largest area a video model looks at without being told: that of the paper's (section III-F).
CLIP_PIXELS = 512 * 512
# Frames of a segment where a model has no windows.
SEGMENT = 16


def clip_predictor(
    tasks: Sequence[DepthTask], name: str, asked: argparse.Namespace
) -> ClipPredictor:
    """Return what makes depth of a clip; arguments as in ``write_clip``.

    Raises:
        UsageError: If windows are to be batched of a model that has none.
    """
    pixels = asked.pixels or tasks[0].pixels
    videos = [task for task in tasks if isinstance(task, PPVD)]
    if videos:
        return WindowedDepth(videos, name, num_at_once=asked.batch_windows, pixels=pixels)
    kind = type(tasks[0]).__name__
    if asked.batch_windows > 1:
        raise UsageError(f"--batch-windows must be left out: {kind} is a model of images")
    print(f"{kind} is a model of images: frame by frame, depth may flicker", file=sys.stderr)
    return FramewiseDepth(tasks, name, pixels=pixels)


class WindowedDepth:
    """A video model, window by window, on one scale and shift.

    Args:
        tasks: The model; copies of it on further devices.
        key: Name of the clip.
        num_at_once: Windows in a batch.
        pixels: Area the network looks at; ``None``: the frame's own, up to a limit.
    """

    def __init__(
        self, tasks: Sequence[PPVD], key: str, *, num_at_once: int, pixels: int | None
    ) -> None:
        self.tasks, self.key, self.num_at_once, self.pixels = tasks, key, num_at_once, pixels
        self._chain = WindowChain(tasks[0].windows.keyframes)

    def segments(self, frames: Iterator[Tensor], *, skip: int) -> Iterator[Tensor]:
        """Yield the codes that each window adds."""
        assert skip == len(self._chain.fits), (skip, len(self._chain.fits))
        return self.tasks[0].predict_windows(
            _sized(self.tasks, frames, self.pixels, CLIP_PIXELS),
            key=self.key,
            chain=self._chain,
            num_at_once=self.num_at_once,
            replicas=self.tasks[1:],
        )

    def state(self) -> Mapping[str, Tensor]:
        """Return the chain's."""
        return self._chain.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on with the chain."""
        self._chain.restore(state, device=self.tasks[0].device)


class FramewiseDepth:
    """An image model, frame by frame from one noise: each frame has a scale of its own.

    Args:
        tasks: The model; copies of it on further devices.
        key: Name of the clip.
        pixels: Area the network looks at; ``None``: the frame's own, up to a limit.
    """

    def __init__(self, tasks: Sequence[DepthTask], key: str, *, pixels: int | None) -> None:
        self.tasks, self.key, self.pixels = tasks, key, pixels

    def segments(self, frames: Iterator[Tensor], *, skip: int) -> Iterator[Tensor]:
        """Yield the codes of so many frames at a time."""
        sized = _sized(self.tasks, frames, self.pixels, PIXELS)
        unseen = islice(sized, skip * SEGMENT, None)
        codes = spread(unseen, [partial(self._code, task) for task in self.tasks])
        return map(torch.cat, groups_of(codes, SEGMENT))

    def state(self) -> Mapping[str, Tensor]:
        """Nothing: frames do not know each other."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Do nothing."""

    @torch.inference_mode()
    def _code(self, task: DepthTask, frame: Tensor) -> Tensor:
        return task.predict(frame[None].to(task.device), keys=[self.key]).cpu()


def _sized(
    tasks: Sequence[DepthTask], frames: Iterator[Tensor], pixels: int | None, most: int
) -> Iterator[Tensor]:
    """Choose the area the network looks at by the first frame, unless it is given."""
    for first in frames:
        too_large = first.shape[-2] * first.shape[-1] > most
        for task in tasks:
            task.pixels = pixels or (most if too_large else None)
        yield from chain([first], frames)
