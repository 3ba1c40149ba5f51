"""Which data set a folder holds, told by the names in it, and what its numbers should be like."""

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ppvd.data.errors import ShardError

# Signs lie near the top of a download; a folder of many sequences need not be walked whole.
MAX_FOLDERS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a data set is recognised, and what its depth is about.

    Attributes:
        sign: Regular expression that fits some path of the data set, from the folder's own name
            on, and none of another set's.
        median_m: Between which depths, metres, the middle pixel of a typical frame lies (ours):
            wide enough for every scene, and narrow enough for a wrong unit to fall out.
    """

    sign: str
    median_m: tuple[float, float]


LAYOUTS = {
    "Hypersim": Layout(sign=r"/scene_cam_\d+_(geometry|final)_hdf5$", median_m=(0.3, 20)),
    "UrbanSyn": Layout(sign=r"/ss/ss_\d+\.png$|/depth/depth_\d+\.exr", median_m=(3, 150)),
    "UnrealStereo4K": Layout(sign=r"/(Disp|Extrinsics)0$", median_m=(0.5, 150)),
    "VKITTI2": Layout(sign=r"/Scene\d+/[a-z0-9-]+/(frames|extrinsic\.txt)", median_m=(3, 150)),
    "TartanAir": Layout(sign=r"/P\d+/(image_left|depth_left|pose_left)", median_m=(0.5, 150)),
    "IRS": Layout(sign=r"/d_\d+\.exr$", median_m=(0.3, 20)),
    "PointOdyssey": Layout(
        sign=r"/rgbs/rgb_\d+\.jpg$|/depths/depth_\d+\.png$", median_m=(0.3, 400)
    ),
    "NyuV2": Layout(sign=r"/nyu_depth_v2_labeled\.mat$|/filled_\d+\.png$", median_m=(0.5, 10)),
    "NyuV2Videos": Layout(
        sign=r"/sync_depth_\d+\.png$|/[rd]-\d+\.\d+-\d+\.p[pg]m$", median_m=(0.5, 10)
    ),
    "Kitti": Layout(sign=r"/\d{4}_\d\d_\d\d_drive_\d{4}_sync$", median_m=(3, 60)),
    "Eth3d": Layout(sign=r"/dslr_(images|calibration_jpg)$", median_m=(0.5, 100)),
    "ScanNet": Layout(sign=r"/scene\d{4}_\d\d(/color$|\.sens$)", median_m=(0.3, 8)),
    "Diode": Layout(
        sign=r"/\d+_\d+_(indoors|outdoor)_\d+_\d+[a-z_]*\.(png|npy)$", median_m=(0.5, 100)
    ),
    "Bonn": Layout(sign=r"/rgbd_bonn_[^/]*/(rgb|depth)$|/rgb/\d+\.\d+\.png$", median_m=(0.3, 8)),
    "Sintel": Layout(sign=r"/camdata_left$|/frame_\d+\.dpt$", median_m=(0.1, 200)),
}
"""By the name of the reader in `ppvd.data.sources`."""


def recognise(raw: Path) -> list[str]:
    """Return the names of the readers whose data sets the folder seems to hold.

    Args:
        raw: Folder of an unpacked download.

    Raises:
        ShardError: If it is no folder.
    """
    if not raw.is_dir():
        raise ShardError(f"raw must be the folder of the downloaded data, but {raw} is none")
    found = dict.fromkeys(LAYOUTS, False)
    for path in _paths(raw):
        for name, layout in LAYOUTS.items():
            found[name] = found[name] or re.search(layout.sign, path) is not None
    return [name for name, met in found.items() if met]


def _paths(raw: Path) -> Iterator[str]:
    """Yield paths level by level; entries of one kind in a folder are all alike after a while."""
    waiting = deque([(raw, f"/{raw.resolve().name}")])
    for _ in range(MAX_FOLDERS):
        if not waiting:
            return
        folder, path = waiting.popleft()
        yield path
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_dir():
                waiting.append((folder / entry.name, f"{path}/{entry.name}"))
            else:
                yield f"{path}/{entry.name}"
