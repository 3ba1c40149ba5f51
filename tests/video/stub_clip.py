"""Clips and a predictor without a network: ``python stub_clip.py FOLDER NUM_FRAMES [--resume]``.

As a program it writes the clip's depth and prints the largest number of bytes that the process
ever held, after it has warmed up on a clip of its own.
"""

import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from ppvd.video import (
    COLOUR_ENCODING,
    DEPTH_ENCODING,
    ArrayOutput,
    ClipJob,
    FrameOutput,
    VideoFrame,
    VideoOutput,
    side_by_side,
    sixteen_bits,
)

RATE = Fraction(25)


class Ramps:
    """A clip that is made as it is read; every seventh frame stands in for a broken one."""

    def __init__(self, num, *, size=(4, 6), fail_at=None, error=None, pause_s=0.0):
        self.name, self.rate, self.num_frames = "ramps", RATE, num
        self.size, self.fail_at, self.error, self.pause_s = size, fail_at, error, pause_s
        self.num_read = 0

    def __iter__(self):
        for number in range(self.num_frames):
            if number == self.fail_at:
                raise self.error
            time.sleep(self.pause_s)
            self.num_read += 1
            image = np.full((*self.size, 3), number % 256, np.uint8)
            image[0, 0] = 255, 0, number % 100
            yield VideoFrame(image, number / self.rate, number % 7 == 5)


class Summed:
    """Codes that are the frame's red and a part that grows from segment to segment."""

    def __init__(self, length=4):
        self.length, self.count, self.num_predicted = length, torch.zeros(1), 0

    def segments(self, frames, *, skip):
        number = 0
        while window := [frame for _, frame in zip(range(self.length), frames, strict=False)]:
            if number >= skip:
                self.count = self.count + 1
                self.num_predicted += 1
                yield torch.stack(window)[:, :1] - 0.5 + 0.01 * self.count
            number += 1

    def state(self):
        return {"count": self.count}

    def restore(self, state):
        self.count = state.get("count", self.count)


def save_npy(path, shot):
    path.parent.mkdir(exist_ok=True)
    np.save(path, shot.code.numpy())


def outputs(folder, work):
    return [
        VideoOutput(
            path=folder / "depth.mkv",
            work=work,
            draw=lambda shot: sixteen_bits(shot.code),
            encoding=DEPTH_ENCODING,
            rate=RATE,
        ),
        VideoOutput(
            path=folder / "preview.mp4",
            work=work,
            draw=lambda shot: side_by_side(shot, near_is_high=True),
            encoding=COLOUR_ENCODING,
            rate=RATE,
        ),
        ArrayOutput(path=folder / "depth.npz", work=work, depth=lambda code: code + 2),
        FrameOutput(folder / "frames", ".npy", save_npy),
    ]


def job(folder, source, predictor=None, *, kinds=slice(None), **options):
    work = folder / "a.part"
    return ClipJob(
        source=source,
        predictor=predictor or Summed(),
        outputs=outputs(folder, work)[kinds],
        work=work,
        description=options.pop("description", {"clip": "ramps"}),
        seconds_between_notes=options.pop("seconds_between_notes", 0.0),
        **options,
    )


def peak_bytes():
    """The high-water mark of resident memory, as the kernel keeps it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def main():
    folder, num_frames = Path(sys.argv[1]), int(sys.argv[2])
    pause_s = float(sys.argv[3])
    torch.set_num_threads(1)
    source = Ramps(num_frames, size=(32, 48), pause_s=pause_s)
    predictor = Summed(16)
    print("begun", flush=True)
    job(folder, source, predictor, kinds=slice(3)).run(resume="--resume" in sys.argv)
    print(peak_bytes())


if __name__ == "__main__":
    main()
