"""IRS: 103316 rendered indoor stereo pairs of 960x540 (Q. Wang et al., 2019).

A folder a sequence holds pictures and disparities side by side; older releases do not pad their
numbers. The authors' test list is every seventh frame of every sequence, so that sequences are only
whole if both of their lists are taken, as they are here: the set is not for evaluation.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ppvd.data.raw import (
    Shot,
    Taken,
    VideoSource,
    depth_from_disparity,
    depth_map,
    folders_holding,
    numbered,
    pair,
    pinhole,
    read_exr,
    read_picture,
)

# Of the authors, for pictures of this width; the principal point is not documented, and the
# middle of the picture is taken.
FOCAL_PX, WIDTH, BASELINE_M = 480.0, 960, 0.1
# Files with one channel call it G; others carry the disparity in R.
CHANNELS = ("R", "G", "Y")
# Disparities of less than a quarter of a pixel are no measurement of a room (ours).
FAR_M = 200.0
# Lights and lenses under which one sequence was rendered again, along the same path.
RENDERED_AGAIN = re.compile(r"_(Dark|Night|NightFall|LensFlares?|BL\d*|T\d*)(?=_|$)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class IRS(VideoSource):
    """IRS: any folder that holds disparities is a sequence."""

    dataset: ClassVar[str] = "irs"
    licence: ClassVar[str] = "no licence published: research use until its authors say otherwise"
    frame_bytes: ClassVar[int] = 500_000

    def shots(self) -> Iterable[Shot]:
        """Pair left pictures and disparities by number, never by the order of their names."""
        for folder in folders_holding(self.raw, r"d_\d+\.exr"):
            parts = [part for part in folder.parts if part.lower() != "irsdataset"]
            yield from pair(
                numbered(self.raw, folder, r"l_(\d+)\.png"),
                numbered(self.raw, folder, r"d_(\d+)\.exr"),
                scene=RENDERED_AGAIN.sub("", self.parts(folder)[-1]),
                sequence="/".join(parts) or self.parts(folder)[-1],
            )

    def take(self, shot: Shot) -> Taken:
        """Read one pair's left view; some disparities are of another size and are refused."""
        picture = read_picture(self.raw / shot.image)
        disparity, channel = read_exr(self.raw / shot.depth, *CHANNELS)
        height, width = disparity.shape
        focal_px = FOCAL_PX * width / WIDTH
        metres = depth_from_disparity(disparity, focal_px=focal_px, baseline_m=BASELINE_M)
        return self.taken(
            shot,
            picture,
            depth_map(np.where(metres > FAR_M, np.nan, metres)),
            intrinsics=pinhole(focal_px, focal_px, (width - 1) / 2, (height - 1) / 2),
            metadata={"depth_channel": channel},
        )
