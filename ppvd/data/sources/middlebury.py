"""One real photograph with measured depth: the motorcycle of Middlebury Stereo 2014.

scikit-image carries its left picture and disparity at a quarter of the original size in its wheel,
so nothing is downloaded. The stored disparity is the plain offset in pixels between left and right
picture: shifting the right one by it, and by no more, is what matches the left one best (mean grey
difference 7.4, against 38 when ``doffs`` is added to the shift). The principal points of the two
cameras differ by ``doffs``, so depth is ``z = focal * baseline / (disparity + doffs)``: 2.11 m to
5.02 m, a motorcycle in a workshop. Without ``doffs`` the back wall would be 27 m away.

D. Scharstein et al., High-resolution stereo datasets with subpixel-accurate ground truth, 2014.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ppvd.data.encode import Sample, decode_image
from ppvd.data.errors import ShardError
from ppvd.data.frame import Frame

# Calibration at the stored size, from scikit-image's documentation. Its principal point is that
# of the full picture divided by four, up to 0.4 pixels off where averaging put the pixel centres.
FOCAL_PX = 994.978
CX_PX, CY_PX = 311.193, 254.877
DOFFS_PX = 31.086
BASELINE_M = 0.193001

PICTURE = "motorcycle_left.png"
DISPARITY = "motorcycle_disp.npz"

# A jump of more than this between the two neighbours of a pixel is an edge of depth (ours).
EDGE_PX = 2.0
# A pixel this far from both sides of an edge, as a share of the jump, lies on neither (ours).
BLEND = 0.1


class Motorcycle:
    """The one photograph, as a source of shards for evaluation.

    Raises:
        ShardError: If scikit-image is not installed or its wheel does not hold the picture.
    """

    dataset = "middlebury"
    licence = "Middlebury Stereo 2014: free for research, cite Scharstein et al. 2014"
    sample_bytes = 2**21

    def __init__(self) -> None:
        self._folder = _skimage_data()

    def describe(self) -> dict[str, object]:
        """Return the files."""
        return {"package": "scikit-image", "files": [PICTURE, DISPARITY]}

    def __len__(self) -> int:
        return 1

    def sample(self, index: int) -> Sample:
        """Return the photograph, its picture byte for byte as it was distributed."""
        assert index == 0, "there is one photograph"
        picture = (self._folder / PICTURE).read_bytes()
        with np.load(self._folder / DISPARITY) as arrays:
            depth = depth_from_disparity(arrays["arr_0"])
        frame = Frame(
            image=decode_image(picture),
            depth=depth,
            valid=depth > 0,
            sky=np.zeros(depth.shape, np.bool_),
            intrinsics=np.array([[FOCAL_PX, 0, CX_PX], [0, FOCAL_PX, CY_PX], [0, 0, 1]]),
            pose=None,
            key="middlebury/motorcycle",
            scene="motorcycle",
            index=0,
            source=(PICTURE, DISPARITY),
        )
        return Sample(
            key=frame.key,
            frames=(frame,),
            lossless=True,
            pictures=(picture,),
            flags=("pixels averaged over a depth edge are invalid",),
        )


def depth_from_disparity(disparity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return depth in metres, 0 where there is no measurement.

    The map was shrunk by averaging blocks of 4x4, which puts some pixels of an edge between its two
    sides, where nothing is; those are no measurement either.

    Args:
        disparity: Pixels, infinite where unknown, ``(H, W)``.
    """
    known = np.isfinite(disparity)
    known &= ~(_blended(disparity) | _blended(disparity.T).T)
    shifted = np.where(known, disparity, np.float32(1)).astype(np.float64) + DOFFS_PX
    return np.where(known, FOCAL_PX * BASELINE_M / shifted, 0).astype(np.float32)


def _blended(disparity: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark what lies between its left and right neighbours across an edge, on neither side."""
    finite = np.where(np.isfinite(disparity), disparity, np.nan)
    left, middle, right = finite[:, :-2], finite[:, 1:-1], finite[:, 2:]
    jump = np.abs(right - left)
    nearest = np.minimum(np.abs(middle - left), np.abs(middle - right))
    between = (np.minimum(left, right) < middle) & (middle < np.maximum(left, right))
    marked = np.zeros(disparity.shape, np.bool_)
    marked[:, 1:-1] = between & (jump > EDGE_PX) & (nearest > BLEND * jump)
    return marked


def _skimage_data() -> Path:
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise ShardError(
            "middlebury needs scikit-image, which carries it: pip install 'ppvd[demo]'"
        )
    folder = Path(spec.origin).parent / "data"
    for name in (PICTURE, DISPARITY):
        if not (folder / name).is_file():
            raise ShardError(
                f"scikit-image must carry {name} in {folder}: install a wheel of version 0.25 or"
                " later; nothing is downloaded"
            )
    return folder
