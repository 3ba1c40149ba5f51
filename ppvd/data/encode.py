"""From frames to the members of one sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.data.coding import DELTA_ZSTD, PNG, DepthCoding, FloatZlib, LinearU16, LogU16
from ppvd.data.errors import SampleError
from ppvd.data.frame import Frame
from ppvd.data.manifest import LeftOut
from ppvd.data.schema import FrameInfo, SampleInfo, Split, check_key, seal

TOOL = f"ppvd {version('ppvd')}"
# Quality 95 without chroma subsampling: a fifth of a PNG's bytes, and colour edges stay put.
JPEG = [
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]
PNG_SIGNATURE = b"\x89PNG\r\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """What a source yields for one place in a shard: a frame, or a segment of a clip.

    Attributes:
        key: Name in the set, of ``a-z 0-9 _ - /``.
        frames: One frame, or consecutive frames of one camera, all of one size.
        lossless: Store PNG and float32 instead of JPEG and 16-bit depth: for evaluations.
        pictures: The source's own JPEG or PNG files, one a frame, stored as they are; empty to
            encode ``Frame.image``.
        depth_step_m: Store depth in 16-bit steps of so many metres, the source's own, which loses
            nothing; None for logarithmic steps between the frame's nearest and farthest point.
        flags: Facts about the truth that a reader of scores should know.
        left_out: Frames of the source's segment that are not among ``frames``.
    """

    key: str
    frames: tuple[Frame, ...]
    lossless: bool = False
    pictures: tuple[bytes, ...] = ()
    depth_step_m: float | None = None
    flags: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def encode(sample: Sample, *, dataset: str, split: Split, licence: str) -> dict[str, bytes]:
    """Return the members of ``sample`` by name without the key.

    Raises:
        SampleError: If the frames are not fit for a shard: none at all, unequal sizes, depth that
            is not a positive finite number where valid, a skewed camera, a picture that does not
            show the frame.
    """
    check_key(sample.key)
    for frame in sample.frames:
        _check_frame(frame)
    if len({frame.depth.shape for frame in sample.frames}) != 1:
        raise SampleError("sample must have frames, all of one size")
    suffix, pictures = _pictures(sample)
    codings = [_coding(sample, frame, split=split) for frame in sample.frames]
    info = SampleInfo(
        dataset=dataset,
        split=split,
        scene=sample.frames[0].scene,
        size=(sample.frames[0].depth.shape[0], sample.frames[0].depth.shape[1]),
        image=suffix,
        frames=tuple(map(_describe, sample.frames, codings)),
        licence=licence,
        converter=TOOL,
        flags=sample.flags,
    )
    members: dict[str, bytes] = {}
    for number, (frame, coding) in enumerate(zip(sample.frames, codings, strict=True)):
        members[info.member(suffix, frame=number)] = pictures[number]
        members[info.member(coding.suffix, frame=number)] = coding.pack(frame.depth, frame.sky)
    return members | {"json": seal(info, members)}


def _check_frame(frame: Frame) -> None:
    measured = frame.depth[frame.valid]
    if not np.all(np.isfinite(measured) & (measured > 0)):
        raise SampleError("depth must be finite and above 0 m wherever it is valid")
    if np.any(frame.depth[~frame.valid]):
        raise SampleError("depth must be 0 wherever it is not valid")
    matrix = frame.intrinsics
    plain = np.diag([*matrix.diagonal()[:2], 1.0])
    plain[:2, 2] = matrix[:2, 2]
    if not np.array_equal(matrix, plain) or min(matrix[0, 0], matrix[1, 1]) <= 0:
        raise SampleError(f"intrinsics must be of a pinhole without skew, got {matrix.tolist()}")


def _coding(sample: Sample, frame: Frame, *, split: Split) -> DepthCoding:
    """Choose what is fastest to train on; what is evaluated on stays open to every viewer."""
    form = DELTA_ZSTD if split == "train" else PNG
    if sample.depth_step_m is not None:
        return LinearU16(scale=sample.depth_step_m, form=form)
    return FloatZlib() if sample.lossless else LogU16.fit(frame.depth, form=form)


def _describe(frame: Frame, coding: DepthCoding) -> FrameInfo:
    fx, fy, cx, cy = (float(frame.intrinsics[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return FrameInfo(
        index=frame.index,
        intrinsics=(fx, fy, cx, cy),
        pose=None if frame.pose is None else tuple(map(float, frame.pose.ravel())),
        coding=coding,
        source=frame.source,
        metadata=frame.metadata,
    )


def _pictures(sample: Sample) -> tuple[str, Sequence[bytes]]:
    if not sample.pictures:
        suffix = "png" if sample.lossless else "jpg"
        return suffix, [encode_image(frame.image, suffix=suffix) for frame in sample.frames]
    for picture, frame in zip(sample.pictures, sample.frames, strict=True):
        if not np.array_equal(decode_image(picture), frame.image):
            raise SampleError(f"picture of {frame.key} must show the frame's image")
    return _suffix(sample.pictures[0]), sample.pictures


def _suffix(picture: bytes) -> str:
    return "png" if picture.startswith(PNG_SIGNATURE) else "jpg"


def encode_image(image: NDArray[np.uint8], *, suffix: str) -> bytes:
    """Return ``image``, sRGB uint8 ``(H, W, 3)``, as ``jpg`` or ``png`` bytes."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, payload = cv2.imencode(f".{suffix}", bgr, JPEG if suffix == "jpg" else [])
    assert done, "an 8-bit colour picture is always encodable"
    return payload.tobytes()


def decode_image(payload: bytes) -> NDArray[np.uint8]:
    """Return the sRGB picture ``(H, W, 3)`` in the bytes of a JPEG or PNG file, unturned.

    Raises:
        SampleError: If the bytes are no such picture.
    """
    if not payload.startswith((PNG_SIGNATURE, JPEG_SIGNATURE)):
        raise SampleError(f"picture must be a JPEG or PNG file, got {payload[:8]!r}...")
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(payload, np.uint8), flags)
    if image is None:
        raise SampleError(f"picture of {len(payload)} bytes must be whole, but it cannot be read")
    return image.astype(np.uint8, copy=False)
