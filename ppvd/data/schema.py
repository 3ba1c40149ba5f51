"""The shard schema: what a sample is called, what it holds and what its json says.

An image sample is ``<key>.jpg`` (or ``.png``), ``<key>.depth.u16.zst`` (or ``.depth.png``, or
``.depth.f32.zlib``) and ``<key>.json``. A clip is a segment of consecutive frames in one sample:
``<key>.000.jpg``, ``<key>.000.depth.u16.zst``, ``<key>.001.jpg`` ... and one json whose per-frame
entries are lists.
"""

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ppvd.data.coding import DepthCoding, coding_from_json
from ppvd.data.errors import SampleError
from ppvd.data.frame import KEY_PATTERN, Metadata

SCHEMA_VERSION = 1
Split = Literal["train", "val", "test"]
IMAGE_SUFFIXES = ("jpg", "png")
# Entries of the json that a clip gives as lists, one item a frame.
PER_FRAME = ("frame", "K", "T_wc", "pose_ok", "depth", "source", "metadata")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameInfo:
    """What the json says of one frame.

    Attributes:
        index: Place of the frame in its source's sequence.
        intrinsics: ``fx, fy, cx, cy`` in pixels; the centre of the first pixel is (0, 0).
        pose: Camera-to-world matrix row by row, metres, x right, y down, z forward; None when
            the source does not know it.
        coding: How depth is stored.
        source: Where the pixels come from: file names or a seed.
        metadata: Further facts of the source.
    """

    index: int
    intrinsics: tuple[float, ...]
    pose: tuple[float, ...] | None
    coding: DepthCoding
    source: tuple[str, ...]
    metadata: Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleInfo:
    """What the json says of a sample.

    Attributes:
        dataset: Name of the data set.
        split: train, val or test.
        scene: Scene the frames show; scenes never span two splits.
        size: Height and width in pixels, the same for all frames.
        image: Suffix of the pictures, jpg or png.
        frames: One entry a frame, at least one.
        licence: Licence of the source's data.
        converter: Program and version that wrote the sample.
        flags: Facts about the truth that a reader of scores should know.
    """

    dataset: str
    split: str
    scene: str
    size: tuple[int, int]
    image: str
    frames: tuple[FrameInfo, ...]
    licence: str
    converter: str
    flags: tuple[str, ...] = ()

    def member(self, suffix: str, *, frame: int = 0) -> str:
        """Return the member name, without the key, of ``suffix`` for one frame."""
        return suffix if len(self.frames) == 1 else f"{frame:03d}.{suffix}"

    def members(self) -> frozenset[str]:
        """Return the names, without the key, of all members but the json."""
        return frozenset(
            self.member(suffix, frame=number)
            for number, frame in enumerate(self.frames)
            for suffix in (self.image, frame.coding.suffix)
        )


def check_key(key: str) -> None:
    """Raise `SampleError` unless ``key`` may name a sample."""
    if not KEY_PATTERN.fullmatch(key):
        raise SampleError(f"key must be of a-z, 0-9, _, - and / alone, got {key!r}")


def seal(info: SampleInfo, members: dict[str, bytes]) -> bytes:
    """Return the json member: ``info`` and a checksum over it and all other ``members``.

    JPEG has no checksum of its own, so a flipped bit in a picture would go unnoticed.
    """
    body = _to_json(info)
    body["crc32"] = _checksum(body, members)
    return _canonical(body)


def unseal(members: dict[str, bytes]) -> SampleInfo:
    """Return the json's content after comparing the sample's members and checksum with it.

    Args:
        members: Bytes by member name without the key, the json among them.

    Raises:
        SampleError: If the json is absent or of another schema, a member is missing or unknown,
            or the bytes are not those that were written.
    """
    if "json" not in members:
        raise SampleError(f"sample must hold a json, got {sorted(members)}")
    others = {name: payload for name, payload in members.items() if name != "json"}
    try:
        body: Any = json.loads(members["json"])
    except ValueError as error:
        raise SampleError(f"json must be readable: {error}") from error
    info = _from_json(body)
    if others.keys() != info.members():
        missing = sorted(info.members() - others.keys())
        unknown = sorted(others.keys() - info.members())
        raise SampleError(f"members must be those of the json: missing {missing}, more {unknown}")
    checksum = body.pop("crc32")
    if _checksum(body, others) != checksum:
        raise SampleError(f"checksum must be {checksum}, got {_checksum(body, others)}")
    return info


def _canonical(body: dict[str, object]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _checksum(body: dict[str, object], members: dict[str, bytes]) -> int:
    checksum = zlib.crc32(_canonical(body))
    for name in sorted(members):
        checksum = zlib.crc32(members[name], zlib.crc32(name.encode(), checksum))
    return checksum


def _to_json(info: SampleInfo) -> dict[str, object]:
    frames = info.frames
    rows = [_frame_to_json(frame) for frame in frames]
    columns = {name: [row[name] for row in rows] for name in PER_FRAME}
    return {
        "schema": SCHEMA_VERSION,
        "dataset": info.dataset,
        "split": info.split,
        "scene": info.scene,
        "n_frames": len(frames),
        "size": [info.size[1], info.size[0]],
        "image": info.image,
        "K_convention": "int",
        "metric": True,
        "licence": info.licence,
        "converter": info.converter,
        "flags": list(info.flags),
    } | (rows[0] if len(frames) == 1 else columns)


def _frame_to_json(frame: FrameInfo) -> dict[str, object]:
    return {
        "frame": frame.index,
        "K": list(frame.intrinsics),
        "T_wc": None if frame.pose is None else list(frame.pose),
        "pose_ok": frame.pose is not None,
        "depth": frame.coding.to_json(),
        "source": list(frame.source),
        "metadata": dict(frame.metadata),
    }


def _from_json(body: Any) -> SampleInfo:  # noqa: ANN401 - whatever json holds
    if not isinstance(body, dict) or body.get("schema") != SCHEMA_VERSION:
        got = body.get("schema") if isinstance(body, dict) else type(body).__name__
        raise SampleError(f"json must be of schema {SCHEMA_VERSION}, got {got!r}")
    if body.get("K_convention") != "int" or body.get("metric") is not True:
        raise SampleError("json must say K_convention int and metric true: nothing else is read")
    try:
        width, height = body["size"]
        info = SampleInfo(
            dataset=str(body["dataset"]),
            split=str(body["split"]),
            scene=str(body["scene"]),
            size=(int(height), int(width)),
            image=str(body["image"]),
            frames=_frames_from_json(body),
            licence=str(body["licence"]),
            converter=str(body["converter"]),
            flags=tuple(map(str, body["flags"])),
        )
        int(body["crc32"])
    except (KeyError, TypeError, ValueError) as error:
        raise SampleError(f"json must have all fields of its schema: {error}") from error
    if info.image not in IMAGE_SUFFIXES or min(info.size) < 1:
        raise SampleError(f"json must name jpg or png and a size, got {info.image}, {info.size}")
    return info


def _frames_from_json(body: dict[str, Any]) -> tuple[FrameInfo, ...]:
    num_frames = body["n_frames"]
    columns = [[body[name]] if num_frames == 1 else body[name] for name in PER_FRAME]
    for name, column in zip(PER_FRAME, columns, strict=True):
        if not isinstance(column, list) or len(column) != num_frames or not column:
            raise SampleError(f"json's {name} must hold {num_frames} entries, got {column!r}")
    rows = (dict(zip(PER_FRAME, row, strict=True)) for row in zip(*columns, strict=True))
    return tuple(_frame_from_json(row) for row in rows)


def _frame_from_json(row: dict[str, Any]) -> FrameInfo:
    return FrameInfo(
        index=int(row["frame"]),
        intrinsics=_numbers("K", row["K"], 4),
        pose=None if row["T_wc"] is None else _numbers("T_wc", row["T_wc"], 16),
        coding=coding_from_json(row["depth"]),
        source=tuple(map(str, row["source"])),
        metadata=dict(row["metadata"]),
    )


def _numbers(name: str, values: Sequence[float], count: int) -> tuple[float, ...]:
    numbers = tuple(map(float, values))
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise SampleError(f"json's {name} must hold {count} finite numbers, got {values}")
    return numbers
