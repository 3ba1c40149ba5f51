"""``ppvd depth`` of video: which files come out, and how they are made."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm

from ppvd.callbacks import DepthFiles
from ppvd.cli.clip_files import clip_outputs
from ppvd.cli.clip_predictors import clip_predictor
from ppvd.cli.clip_report import clip_note, clip_plot
from ppvd.cli.depth import is_camera
from ppvd.cli.mistakes import UsageError
from ppvd.data.photos import Photos, read_photo
from ppvd.tasks import DepthTask
from ppvd.video import (
    Camera,
    ClipJob,
    ClipStoppedError,
    FrameSeries,
    FrameSource,
    VideoFile,
    Wobble,
)
from ppvd.whole import write_png, write_whole

# Repeated frames that are listed on the screen; the note has them all.
LISTED = 20
# Share of the announced frames from which on a clip counts as whole; some only estimate them.
WHOLE = 0.95


def open_clips(words: Sequence[str], *, fps: Fraction | None) -> dict[str, FrameSource]:
    """Return the clips by their names, which the files get.

    Args:
        words: Video files, ``-`` for the pipe, ``camera``, or folders of frames.
        fps: Frames a second of the folders.

    Raises:
        UsageError: If two have one name, or video cannot be read here.
        ValueError: If one is no video.
        OSError: If one is not there.
    """
    clips: dict[str, FrameSource] = {}
    for word in words:
        name = _name(word)
        if name in clips:
            raise UsageError(f"clips must have names of their own, but two are called {name}")
        try:
            clips[name] = _open(word, fps)
        except ImportError as error:
            raise UsageError(str(error)) from error
    return clips


def _name(word: str) -> str:
    if word == "-" or is_camera(word):
        return "pipe" if word == "-" else "camera"
    return Path(word).resolve().stem.replace(".", "_")


def write_clip(
    name: str,
    source: FrameSource,
    tasks: Sequence[DepthTask],
    files: DepthFiles,
    *,
    asked: argparse.Namespace,
    model: str,
) -> None:
    """Write the depth of one clip.

    Args:
        name: What its files are called.
        source: Its frames.
        tasks: The model, on its device; copies of it on others.
        files: Which metres codes stand for, and the camera.
        asked: Options of ``ppvd depth``.
        model: Which model it is, for the job's description.

    Raises:
        ValueError: If the clip or a file fails on the way; what was written stays.
        UsageError: If what a camera has shown is to be resumed.
    """
    if asked.resume and isinstance(source, Camera):
        raise UsageError("--resume must be left out: what a camera has shown is gone")
    task = tasks[0]
    note = asked.out / f"{name}.json"
    work = asked.out / f"{name}.part"
    job = _description(source, task, asked, model)
    if asked.resume and not work.exists() and _job_of(note) == job:
        print(f"{source.name} is done: see {note}")
        return
    outputs = clip_outputs(name, source, task.codec, files, asked=asked, work=work)
    wobble = Wobble(path=asked.out / f"{name}_report.png", work=work)
    running = ClipJob(
        source=source,
        predictor=clip_predictor(tasks, name, asked),
        outputs=[*outputs, wobble],
        work=work,
        description=job,
    )

    def write_note(*, complete: bool) -> None:
        report = clip_note(
            source,
            task,
            files,
            running.done,
            complete=complete,
            repeated=running.repeated,
            wobble=wobble,
        )
        report |= {"job": job} if complete else {}
        write_whole(note, (json.dumps(report, indent=2) + "\n").encode())

    with _ended_by_ctrl_c(source), _shown(running, name):
        try:
            running.run(resume=asked.resume)
        except (ClipStoppedError, KeyboardInterrupt):
            if running.done.num_frames:
                with suppress(OSError):  # A full disk has been told of.
                    write_note(complete=False)
            raise
    done = running.done
    write_png(wobble.path, clip_plot(source, done, wobble))
    write_note(complete=True)
    made = ", ".join(str(output.path) for output in outputs)
    print(f"{done.num_frames} frames of {source.name}: {made}; how steady: {wobble.path}")
    for fault in _faults(source, done.num_frames, running.repeated):
        print(fault, file=sys.stderr)


@contextmanager
def _shown(running: ClipJob, name: str) -> Iterator[None]:
    """Show how many frames are written."""
    total = running.source.num_frames
    with tqdm(total=total, desc=name, unit="frame", disable=None) as bar:

        def show(count: int) -> None:
            bar.update(count - bar.n)

        running.on_frames = show
        yield


@contextmanager
def _ended_by_ctrl_c(source: FrameSource) -> Iterator[None]:
    """Let the first Ctrl-C be the end of what has no other: a camera's video."""
    if not isinstance(source, Camera):
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        source.stop()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _open(word: str, fps: Fraction | None) -> FrameSource:
    path = Path(word)
    if is_camera(word) and fps is None:
        return Camera(word.partition(":")[2] or None)
    if fps is not None and path.is_dir():
        return FrameSeries(Photos(path).files, read_photo, rate=fps, name=word)
    if fps is not None:
        raise UsageError(f"--fps must be left out: {word} has its own, only folders have none")
    return VideoFile(sys.stdin.buffer, name="pipe") if word == "-" else VideoFile(path)


def _faults(source: FrameSource, num_frames: int, repeated: Sequence[int]) -> Iterator[str]:
    """Say what was wrong with a clip; a file may announce a few frames more than it has."""
    if repeated:
        more = ", ..." if len(repeated) > LISTED else ""
        listed = ", ".join(map(str, repeated[:LISTED])) + more
        yield f"frames of {source.name} that are broken were repeated: {listed}"
    if num_frames < (source.num_frames or 0) * WHOLE:
        yield f"{source.name} breaks off: it has {num_frames} of {source.num_frames} frames"


def _description(
    source: FrameSource, task: DepthTask, asked: argparse.Namespace, model: str
) -> dict[str, Any]:
    file = Path(source.name)
    settings = {"steps", "samples", "seed", "parity", "near", "far", "fov", "pixels"}
    settings |= {"noise", "write", "batch_windows"}
    return {
        "clip": str(file.resolve()),
        "bytes": file.stat().st_size if file.is_file() else None,
        "model": model,
        "device": task.device.type,
        **{name: getattr(asked, name) for name in sorted(settings)},
    }


def _job_of(note: Path) -> object:
    return json.loads(note.read_text()).get("job") if note.exists() else None
