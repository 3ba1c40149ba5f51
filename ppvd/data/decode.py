"""From the members of one sample to arrays: depth is planar z in metres from here on."""

from dataclasses import dataclass

import numpy as np

from ppvd.data.encode import decode_image
from ppvd.data.errors import BadSampleError, SampleError
from ppvd.data.frame import Frame
from ppvd.data.schema import SampleInfo


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
    try:
        return _decode(raw, frame)
    except ValueError as error:
        raise BadSampleError(f"shard {raw.shard}, sample {raw.key}: {error}") from error


def _decode(raw: RawSample, number: int) -> Frame:
    info, described = raw.info, raw.info.frames[number]
    image = decode_image(raw.members[info.member(info.image, frame=number)])
    if image.shape[:2] != info.size:
        raise SampleError(f"picture must be of size {info.size}, got {image.shape[:2]}")
    packed = raw.members[info.member(described.coding.suffix, frame=number)]
    depth, sky = described.coding.unpack(packed, size=info.size)
    fx, fy, cx, cy = described.intrinsics
    return Frame(
        image=image,
        depth=depth,
        valid=depth > 0,
        sky=sky,
        intrinsics=np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=np.float64),
        pose=None if described.pose is None else np.array(described.pose).reshape(4, 4),
        key=raw.key if len(info.frames) == 1 else f"{raw.key}-{number:03d}",
        scene=info.scene,
        index=described.index,
        source=described.source,
        metadata=described.metadata,
    )
