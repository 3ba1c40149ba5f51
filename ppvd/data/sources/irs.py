"""IRS: 103316 rendered indoor stereo pairs of 960x540 (Q. Wang et al., 2019).

A folder a sequence holds pictures and disparities side by side; older releases do not pad their
numbers. The authors' test list is every seventh frame of every sequence, so that sequences are only
whole if both of their lists are taken, as they are here: the set is not for evaluation.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError
from ppvd.data.raw import (
    Picture,
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
    views_agree,
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
    """IRS: any folder that holds disparities is a sequence.

    Args:
        check_right: Leave out a picture whose disparity does not make its right view look like it,
            as that of another picture would not; reads a third file a picture.
    """

    check_right: bool = False

    dataset: ClassVar[str] = "irs"
    licence: ClassVar[str] = "no licence published: research use until its authors say otherwise"
    frame_bytes: ClassVar[int] = 500_000

    def shots(self) -> Iterable[Shot]:
        """Pair left pictures and disparities by number, never by the order of their names."""
        for folder in folders_holding(self.raw, r"d_\d+\.exr"):
            parts = [part for part in folder.parts if part.lower() != "irsdataset"]
            shots = pair(
                numbered(self.raw, folder, r"l_(\d+)\.png"),
                numbered(self.raw, folder, r"d_(\d+)\.exr"),
                scene=RENDERED_AGAIN.sub("", self.parts(folder)[-1]),
                sequence="/".join(parts) or self.parts(folder)[-1],
            )
            yield from map(self._with_right, shots) if self.check_right else shots

    def take(self, shot: Shot) -> Taken:
        """Read one pair's left view; some disparities are of another size and are refused."""
        picture = read_picture(self.raw / shot.image)
        disparity, channel = read_exr(self.raw / shot.depth, *CHANNELS)
        height, width = disparity.shape
        focal_px = FOCAL_PX * width / WIDTH
        self._check_right(shot, picture, disparity)
        metres = depth_from_disparity(disparity, focal_px=focal_px, baseline_m=BASELINE_M)
        return self.taken(
            shot,
            picture,
            depth_map(np.where(metres > FAR_M, np.nan, metres)),
            intrinsics=pinhole(focal_px, focal_px, (width - 1) / 2, (height - 1) / 2),
            metadata={"depth_channel": channel},
        )

    def _with_right(self, shot: Shot) -> Shot:
        right = shot.image.with_name(shot.image.name.replace("l_", "r_", 1))
        return shot if shot.fault else replace(shot, others=(right,))

    def _check_right(self, shot: Shot, left: Picture, disparity: NDArray[np.float32]) -> None:
        """Refuse a disparity of other views; one of another size is refused later."""
        if not shot.others or left.image.shape[:2] != disparity.shape:
            return
        right = read_picture(self.raw / shot.others[0]).image
        if right.shape != left.image.shape or not views_agree(left.image, right, disparity):
            raise SampleError("its disparity does not make the right view look like the left one")
