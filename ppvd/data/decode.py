"""From the members of one sample to arrays: depth is planar z in metres from here on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ppvd.data.coded import CodedFrame
from ppvd.data.coding import LinearU16, LogU16
from ppvd.data.encode import decode_image
from ppvd.data.errors import BadSampleError, SampleError
from ppvd.data.frame import Frame
from ppvd.data.schema import FrameInfo, SampleInfo


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawSample:
    """A whole sample as it lies in a shard, checked but not decoded.

    Attributes:
        key: Name of the sample.
        shard: File or URL it was read from.
        info: Content of its json.
        members: Bytes of the other members by name without the key.
    """

    key: str
    shard: str
    info: SampleInfo
    members: dict[str, bytes]


def decode(raw: RawSample, *, frame: int = 0) -> Frame:
    """Return one frame of ``raw``; the other frames of a clip stay undecoded.

    Args:
        raw: Sample to look into.
        frame: Number of the frame within the sample.

    Raises:
        BadSampleError: If a member cannot be decoded or contradicts the json.
    """
    with _naming(raw):
        return _decode(raw, frame)


def decode_for_training(raw: RawSample, *, frame: int = 0) -> Frame | CodedFrame:
    """Return one frame of ``raw``, with its depth left in codes if it is stored so.

    Args:
        raw: As in `decode`.
        frame: As in `decode`.

    Raises:
        BadSampleError: As in `decode`.
    """
    coding = raw.info.frames[frame].coding
    with _naming(raw):
        return (
            _decode_coded(raw, frame, coding)
            if isinstance(coding, LogU16 | LinearU16)
            else _decode(raw, frame)
        )


@contextmanager
def _naming(raw: RawSample) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise BadSampleError(f"shard {raw.shard}, sample {raw.key}: {error}") from error


def _decode_coded(raw: RawSample, number: int, coding: LogU16 | LinearU16) -> CodedFrame:
    described = raw.info.frames[number]
    return CodedFrame(
        image=_image(raw, number),
        codes=coding.form.unpack(_packed_depth(raw, number), size=raw.info.size),
        coding=coding,
        intrinsics=_intrinsics(described),
        pose=_pose(described),
        key=_key(raw, number),
    )


def _decode(raw: RawSample, number: int) -> Frame:
    info, described = raw.info, raw.info.frames[number]
    depth, sky = described.coding.unpack(_packed_depth(raw, number), size=info.size)
    return Frame(
        image=_image(raw, number),
        depth=depth,
        valid=depth > 0,
        sky=sky,
        intrinsics=_intrinsics(described),
        pose=_pose(described),
        key=_key(raw, number),
        scene=info.scene,
        index=described.index,
        source=described.source,
        metadata=described.metadata,
    )


def _image(raw: RawSample, number: int) -> NDArray[np.uint8]:
    image = decode_image(raw.members[raw.info.member(raw.info.image, frame=number)])
    if image.shape[:2] != raw.info.size:
        raise SampleError(f"picture must be of size {raw.info.size}, got {image.shape[:2]}")
    return image


def _packed_depth(raw: RawSample, number: int) -> bytes:
    suffix = raw.info.frames[number].coding.suffix
    return raw.members[raw.info.member(suffix, frame=number)]


def _intrinsics(described: FrameInfo) -> NDArray[np.float64]:
    fx, fy, cx, cy = described.intrinsics
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=np.float64)


def _pose(described: FrameInfo) -> NDArray[np.float64] | None:
    return None if described.pose is None else np.array(described.pose).reshape(4, 4)


def _key(raw: RawSample, number: int) -> str:
    return raw.key if len(raw.info.frames) == 1 else f"{raw.key}-{number:03d}"
