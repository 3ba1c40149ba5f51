"""A clip from its source through a predictor into files: decoding, depth and writing overlap."""

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from torch import Tensor

from ppvd.video.ahead import ahead
from ppvd.video.frame import FrameSource, Shot, VideoFrame
from ppvd.video.outputs import ClipOutput
from ppvd.video.progress import ClipProgress, read_progress

# Frames that are decoded ahead of the network.
FRAMES_AHEAD = 8


class ClipPredictor(Protocol):
    """Depth of a clip, segment by segment, from its frames in order."""

    def segments(self, frames: Iterator[Tensor], *, skip: int) -> Iterator[Tensor]:
        """Yield the codes ``(N, 1, H, W)`` of each segment but the first ``skip``.

        Args:
            frames: sRGB in [0, 1], ``(3, H, W)`` each; all of them, from the first.
            skip: Segments that are done; ``restore`` was given the state after them.
        """

    def state(self) -> Mapping[str, Tensor]:
        """Return what the next segment needs of those before it."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""


class ClipStoppedError(ValueError):
    """A clip could not be brought to its end; what was written is kept."""


@dataclass(kw_only=True)
class ClipJob:
    """Writes the depth of a clip in memory that does not grow with its length.

    A job that was stopped, in whatever way, goes on where its last segments are, and leaves the
    very files that it would have left at once.

    Args:
        source: The clip.
        predictor: Its depth.
        outputs: The files to make.
        work: Folder for segments and progress; removed in the end.
        description: What tells this job from others.
        seconds_between_notes: Time from one note of the progress to the next; work since the
            last note is done again after a crash, but not after an error or Ctrl-C.
        on_frames: Told how many frames have been written, each time.

    Attributes:
        repeated: Numbers of the frames that stand in for broken ones.
        done: Counts, and the predictor's state, of what is written.
    """

    source: FrameSource
    predictor: ClipPredictor
    outputs: Sequence[ClipOutput]
    work: Path
    description: Mapping[str, object]
    seconds_between_notes: float = 10.0
    on_frames: Callable[[int], None] = lambda _: None
    repeated: list[int] = field(default_factory=list, init=False)
    done: ClipProgress = field(default_factory=ClipProgress, init=False)
    _begun: ClipProgress = field(default_factory=ClipProgress, init=False)
    _end: Fraction = field(default=Fraction(0), init=False)  # of the last frame written, seconds
    _noted: float = field(default=0.0, init=False)  # by the clock of this process

    def run(self, *, resume: bool = False) -> None:
        """Do it.

        Args:
            resume: Whether to go on where the same job was stopped; else it starts anew.

        Raises:
            ClipStoppedError: If the source, the predictor or a file fails; the message says
                what is there.
            KeyboardInterrupt: After Ctrl-C; as above.
        """
        if not resume:
            shutil.rmtree(self.work, ignore_errors=True)
        self._begun = self.done = read_progress(self.work, self.description)
        self._noted = time.monotonic()
        self.predictor.restore(self._begun.tensors)
        self.on_frames(self._begun.num_frames)
        try:
            self._write_all()
            self._finish()
        except (ValueError, OSError) as error:
            raise ClipStoppedError(f"{_sentence(error)}; {self._rescue()}") from error
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(self._rescue()) from interrupt
        shutil.rmtree(self.work, ignore_errors=True)

    def _write_all(self) -> None:
        """Write segments in a thread, each while the next one is predicted."""
        waiting: deque[VideoFrame] = deque()
        frames = self._shown(waiting)
        done = self._begun
        segments = self.predictor.segments(frames, skip=done.num_segments)
        with ThreadPoolExecutor(1) as writer:
            writing: Future[None] | None = None
            for codes in segments:
                shots = [
                    Shot(done.num_frames + place, waiting.popleft(), code)
                    for place, code in enumerate(codes.float().cpu())
                ]
                done = ClipProgress(
                    num_segments=done.num_segments + 1,
                    num_frames=done.num_frames + len(shots),
                    tensors=self.predictor.state(),
                )
                if writing is not None:
                    writing.result()
                writing = writer.submit(self._write, shots, done)
            if writing is not None:
                writing.result()

    def _shown(self, waiting: deque[VideoFrame]) -> Iterator[Tensor]:
        """Yield frames as the network takes them; those not yet written wait for their depth."""
        for number, frame in enumerate(ahead(self.source, num=FRAMES_AHEAD)):
            if frame.repeated:
                self.repeated.append(number)
            if number < self._begun.num_frames:
                self._end = self._end_of(frame)
            else:
                waiting.append(frame)
            yield frame.tensor()

    def _write(self, shots: Sequence[Shot], done: ClipProgress) -> None:
        for output in self.outputs:
            output.write(done.num_segments - 1, shots)
        self.done, self._end = done, self._end_of(shots[-1].frame)
        if time.monotonic() - self._noted >= self.seconds_between_notes:
            done.write(self.work, self.description)
            self._noted = time.monotonic()
        self.on_frames(done.num_frames)

    def _end_of(self, frame: VideoFrame) -> Fraction:
        return frame.time + 1 / self.source.rate

    def _finish(self) -> None:
        for output in self.outputs:
            output.finish(self.done.num_segments, seconds=self._end)

    def _rescue(self) -> str:
        """Keep what is there, as far as that is possible, and say what it is."""
        count = self.done.num_frames
        if not count:
            return "nothing was written"
        with suppress(ValueError, OSError):
            self.done.write(self.work, self.description)
            self._finish()
        files = ", ".join(str(output.path) for output in self.outputs if output.path.exists())
        where = files or f"parts in {self.work}"
        return f"the {count} frames before are kept: {where}; --resume goes on from there"


def _sentence(error: ValueError | OSError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
