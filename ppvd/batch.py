"""The one contract between the data pipeline and the tasks."""

from typing import TypedDict

from torch import Tensor


class PhotoBatch(TypedDict):
    """Photographs without ground truth, as prediction reads them.

    Attributes:
        image: sRGB colour in [0, 1], float32, ``(B, 3, H, W)``.
        key: Name of each photograph, unique within the run.
    """

    image: Tensor
    key: list[str]


class DepthBatch(PhotoBatch):
    """What the data pipeline yields and a task consumes.

    ``B`` images or ``B`` clips; clips carry a frame axis ``T`` after ``B``, and their frames show
    one camera's view in order of time.

    Attributes:
        image: sRGB colour in [0, 1], float32, ``(B, [T,] 3, H, W)``.
        key: Name of each image or clip, unique within its source.
        depth: Depth along the optical axis in metres, float32, ``(B, [T,] 1, H, W)``;
            zero where ``valid`` is false.
        valid: True where ``depth`` is a measurement, bool, shape of ``depth``.
        sky: True where the ray meets nothing, bool, shape of ``depth``; never valid.
        intrinsics: Pinhole matrix in pixels of *this* image, float32, ``(B, [T,] 3, 3)``;
            the centre of the first pixel is (0, 0).
        pose: Camera-to-world matrix in metres, axes x right, y down, z forward, float32,
            ``(B, [T,] 4, 4)``; nan where it is unknown.
        source: Name of the source each sample came from.
    """

    depth: Tensor
    valid: Tensor
    sky: Tensor
    intrinsics: Tensor
    pose: Tensor
    source: list[str]
