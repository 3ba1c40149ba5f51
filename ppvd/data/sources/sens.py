"""ScanNet's ``.sens``: one file a scan, thousands of frames, read one frame at a time.

Little-endian throughout: a header, then for each frame its pose, two time stamps, the sizes of a
colour and a depth blob, and the blobs themselves. Frames have no index, so the place of one is
found by hopping over those before it; a blob that is not wanted is never read.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError

VERSION = 4
JPEG_COLOUR = 2
ZLIB_DEPTH = 1
# A sensor's name is a few words; a longer one is a file of something else (ours).
MAX_NAME = 4096

_FRAME = struct.Struct("<16f4Q")
_SIZES = struct.Struct("<2i4IfQ")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensHeader:
    """What a ``.sens`` file says before its first frame.

    Attributes:
        colour_intrinsics: Pinhole matrix of the colour pictures, pixels, ``(3, 3)``.
        depth_intrinsics: Pinhole matrix of the depth maps, pixels, ``(3, 3)``.
        colour_size: Height and width of the pictures.
        depth_size: Height and width of the depth maps.
        steps_per_metre: Depth steps of a metre.
        num_frames: Frames that the file holds.
        first: Place of the first frame, bytes.
    """

    colour_intrinsics: NDArray[np.float64]
    depth_intrinsics: NDArray[np.float64]
    colour_size: tuple[int, int]
    depth_size: tuple[int, int]
    steps_per_metre: float
    num_frames: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensFrame:
    """One frame as it is stored.

    Attributes:
        colour: JPEG file.
        steps: Depth in steps, 0 where unknown, uint16, ``(H, W)``.
        pose: Camera-to-world matrix, metres, ``(4, 4)``; infinite where tracking was lost.
    """

    colour: bytes
    steps: NDArray[np.uint16]
    pose: NDArray[np.float64]


def read_header(path: Path) -> SensHeader:
    """Return the header of the scan in ``path``.

    Raises:
        SampleError: If the file is of another version or kind, or ends within its header.
    """
    with path.open("rb") as stream:
        (version,) = struct.unpack("<I", _read(stream, 4, path))
        (length,) = struct.unpack("<Q", _read(stream, 8, path))
        if version != VERSION or length > MAX_NAME:
            raise SampleError(f"{path.name} must be a .sens of version {VERSION}, got {version}")
        _read(stream, length, path)
        matrices = np.frombuffer(_read(stream, 4 * 64, path), "<f4").reshape(4, 4, 4)
        numbers = _SIZES.unpack(_read(stream, _SIZES.size, path))
        first = stream.tell()
    colour, depth, colour_width, colour_height, width, height, shift, count = numbers
    if (colour, depth) != (JPEG_COLOUR, ZLIB_DEPTH):
        raise SampleError(
            f"{path.name} must hold JPEG pictures (2) and zlib depth (1), got {colour} and {depth}"
        )
    return SensHeader(
        colour_intrinsics=matrices[0, :3, :3].astype(np.float64),
        depth_intrinsics=matrices[2, :3, :3].astype(np.float64),
        colour_size=(colour_height, colour_width),
        depth_size=(height, width),
        steps_per_metre=shift,
        num_frames=count,
        first=first,
    )


def frame_places(path: Path) -> Iterator[int]:
    """Yield the place of each frame, bytes from the start of the file, in order.

    A scan whose download broke off yields the frames that are there.
    """
    header, end = read_header(path), path.stat().st_size
    with path.open("rb") as stream:
        place = header.first
        for _ in range(header.num_frames):
            if place + _FRAME.size > end:
                return
            stream.seek(place)
            colour, depth = _FRAME.unpack(_read(stream, _FRAME.size, path))[-2:]
            if place + _FRAME.size + colour + depth > end:
                return
            yield place
            place += _FRAME.size + colour + depth


def read_frame(path: Path, *, place: int, depth_size: tuple[int, int]) -> SensFrame:
    """Return the frame at ``place`` of the scan in ``path``.

    Args:
        path: The ``.sens`` file.
        place: Where the frame begins, bytes; one of `frame_places`.
        depth_size: Height and width of the depth maps.

    Raises:
        SampleError: If the file ends within the frame or its depth is damaged.
    """
    with path.open("rb") as stream:
        stream.seek(place)
        *pose, _, _, colour, depth = _FRAME.unpack(_read(stream, _FRAME.size, path))
        picture = _read(stream, colour, path)
        packed = _read(stream, depth, path)
    return SensFrame(
        colour=picture,
        steps=_steps(packed, depth_size, path),
        pose=np.array(pose, np.float64).reshape(4, 4),
    )


def _steps(packed: bytes, size: tuple[int, int], path: Path) -> NDArray[np.uint16]:
    try:
        raw = zlib.decompress(packed)
    except zlib.error as error:
        raise SampleError(f"depth in {path.name} must be a zlib stream: {error}") from error
    if len(raw) != 2 * size[0] * size[1]:
        raise SampleError(f"depth in {path.name} must be of size {size}, got {len(raw)} bytes")
    return np.frombuffer(raw, "<u2").reshape(size).astype(np.uint16)


def _read(stream: BinaryIO, count: int, path: Path) -> bytes:
    payload = stream.read(count)
    if len(payload) != count:
        raise SampleError(f"{path.name} must be whole, but it ends after {stream.tell()} bytes")
    return payload
