"""How a depth map becomes bytes, and back without a loss that matters.

Every coding keeps three states apart: measured, unknown and sky. Sky is not unknown: the ray is
known to meet nothing.
"""

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ppvd.data.codes import CodeForm, DeltaZstd, Png
from ppvd.data.errors import SampleError

INVALID_CODE = 0
SKY_CODE = 65535
# Codes 1 .. 65534 carry depth: 65533 steps between the nearest and the farthest.
NUM_STEPS = 65533
PNG: CodeForm = Png()
# The smaller and faster one, for what is read again and again.
DELTA_ZSTD: CodeForm = DeltaZstd()

DepthState = tuple[NDArray[np.float32], NDArray[np.bool_]]


class DepthCoding(Protocol):
    """Turns a depth map in metres and its sky mask into the bytes of one member, and back."""

    name: ClassVar[str]

    @property
    def suffix(self) -> str:
        """Name of the member, without key and number of the frame."""

    def pack(self, depth: NDArray[np.float32], sky: NDArray[np.bool_]) -> bytes:
        """Return the bytes of ``depth`` ``(H, W)`` in metres, 0 where unknown, and of ``sky``."""

    def unpack(self, payload: bytes, *, size: tuple[int, int]) -> DepthState:
        """Return depth ``(H, W)`` and sky of the map of ``size`` (height, width)."""

    def to_json(self) -> dict[str, object]:
        """Return the description that the sample's json carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogU16:
    """16-bit codes of the logarithm of depth between this map's nearest and farthest point.

    ``z = near * (far / near) ** ((v - 1) / 65533)``: the relative step is the same everywhere,
    1.2e-5 indoors and 4e-5 on a street that spans 0.4 m to 80 m, against 5e-4 of float16.

    Args:
        near: Depth of code 1, metres.
        far: Depth of code 65534, metres, beyond ``near``.
        form: How the codes are written.
    """

    name: ClassVar[str] = "log_u16"
    near: float
    far: float
    form: CodeForm = PNG

    @property
    def suffix(self) -> str:
        """That of the form."""
        return self.form.suffix

    def __post_init__(self) -> None:
        if not 0 < self.near < self.far < math.inf:
            raise SampleError(f"depth must have 0 < near < far, got {self.near} and {self.far} m")

    @classmethod
    def fit(cls, depth: NDArray[np.float32], *, form: CodeForm = PNG) -> "LogU16":
        """Return the coding that spans the measured values of ``depth``.

        A map without a measurement gets the meaningless span 1 m to 2 m; a constant one is
        widened by 1e-4 of itself, so that ``near < far`` holds always.
        """
        measured = depth[depth > 0]
        if measured.size == 0:
            return cls(near=1.0, far=2.0, form=form)
        near, far = float(measured.min()), float(measured.max())
        return cls(near=near, far=max(far, near * (1 + 1e-4)), form=form)

    @property
    def rate(self) -> float:
        """Logarithm of the factor from one code to the next."""
        return math.log(self.far / self.near) / NUM_STEPS

    def pack(self, depth: NDArray[np.float32], sky: NDArray[np.bool_]) -> bytes:
        """Write the nearest codes; the largest error is half a step of the logarithm."""
        measured = depth > 0
        position = np.log(np.where(measured, depth, self.near) / self.near)
        position *= NUM_STEPS / math.log(self.far / self.near)
        codes = (1 + np.rint(position)).clip(1, NUM_STEPS + 1).astype(np.uint16)
        return _packed(np.where(measured, codes, INVALID_CODE), sky, self.form)

    def unpack(self, payload: bytes, *, size: tuple[int, int]) -> DepthState:
        """Look each code up in a table of 65536 depths: one gather a pixel."""
        position = np.arange(-1, NUM_STEPS + 2, dtype=np.float64)
        # A float32 exponential is off by 3e-7 at most and takes a tenth of the time.
        exponent = (position * self.rate).astype(np.float32)
        table = np.exp(exponent) * np.float32(self.near)
        return _look_up(self.form.unpack(payload, size=size), table)

    def to_json(self) -> dict[str, object]:
        """Return the coding with its two ends in metres."""
        return {"enc": self.name, "near": self.near, "far": self.far} | _written(self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearU16:
    """16-bit codes of depth in steps of ``scale`` metres, as several data sets ship it.

    Kept for sources whose own bytes are stored verbatim, so that no generation is lost.

    Args:
        scale: Metres a step.
        form: How the codes are written.
    """

    name: ClassVar[str] = "linear_u16"
    scale: float
    form: CodeForm = PNG

    @property
    def suffix(self) -> str:
        """That of the form."""
        return self.form.suffix

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf:
            raise SampleError(f"depth scale must be positive, got {self.scale} m a step")

    def pack(self, depth: NDArray[np.float32], sky: NDArray[np.bool_]) -> bytes:
        """Write the codes; depths beyond the last step raise instead of wrapping around."""
        codes = np.rint(depth / self.scale)
        if codes.max(initial=0) >= SKY_CODE:
            limit = self.scale * (SKY_CODE - 1)
            raise SampleError(f"depth must stay below {limit:g} m here, got {depth.max():g} m")
        return _packed(codes, sky, self.form)

    def unpack(self, payload: bytes, *, size: tuple[int, int]) -> DepthState:
        """Multiply by the step."""
        table = (np.arange(SKY_CODE + 1, dtype=np.float64) * self.scale).astype(np.float32)
        return _look_up(self.form.unpack(payload, size=size), table)

    def to_json(self) -> dict[str, object]:
        """Return the coding with its step in metres."""
        return {"enc": self.name, "scale": self.scale} | _written(self.form)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatZlib:
    """Little-endian float32, row by row, compressed with zlib; not a bit is lost.

    For ground truth of an evaluation, which anything with zlib can read. Unknown is 0, sky is
    infinity.
    """

    name: ClassVar[str] = "f32_zlib"

    @property
    def suffix(self) -> str:
        """Its own."""
        return "depth.f32.zlib"

    def pack(self, depth: NDArray[np.float32], sky: NDArray[np.bool_]) -> bytes:
        """Return the compressed map."""
        return zlib.compress(np.where(sky, np.inf, depth).astype("<f4").tobytes(), 6)

    def unpack(self, payload: bytes, *, size: tuple[int, int]) -> DepthState:
        """Decompress, demanding exactly one float32 a pixel."""
        try:
            raw = zlib.decompress(payload)
        except zlib.error as error:
            raise SampleError(f"depth must be a zlib stream: {error}") from error
        if len(raw) != 4 * size[0] * size[1]:
            raise SampleError(f"depth must hold {4 * size[0] * size[1]} bytes, got {len(raw)}")
        stored = np.frombuffer(raw, dtype="<f4").reshape(size).astype(np.float32)
        if not np.all(stored >= 0):
            raise SampleError("depth must not hold negative numbers or NaN")
        sky = np.isinf(stored)
        return np.where(sky, np.float32(0), stored), sky

    def to_json(self) -> dict[str, object]:
        """Return the coding's name."""
        return {"enc": self.name}


_STATES: dict[str, object] = {"invalid": INVALID_CODE, "sky": SKY_CODE}


def coding_from_json(description: object) -> DepthCoding:
    """Return the coding that a sample's json describes.

    Raises:
        SampleError: If the description names no coding of this schema, lacks a number, or gives
            the two special codes another meaning.
    """
    match description:
        case {"enc": "log_u16", "near": float(near), "far": float(far), **rest}:
            return LogU16(near=near, far=far, form=_form(rest))
        case {"enc": "linear_u16", "scale": float(scale), **rest}:
            return LinearU16(scale=scale, form=_form(rest))
        case {"enc": "f32_zlib", **rest} if not rest:
            return FloatZlib()
    raise SampleError(f"depth must be coded as log_u16, linear_u16 or f32_zlib, got {description}")


def _written(form: CodeForm) -> dict[str, object]:
    """Say how codes are written; PNG goes without saying, as in sets older than the other form."""
    return _STATES if form == PNG else _STATES | {"form": form.name}


def _form(rest: Mapping[object, object]) -> CodeForm:
    for form in (PNG, DELTA_ZSTD):
        if rest == _written(form):
            return form
    raise SampleError(f"depth's codes must be {_STATES}, by PNG or {DELTA_ZSTD.name}, got {rest}")


def _packed(codes: NDArray[np.generic], sky: NDArray[np.bool_], form: CodeForm) -> bytes:
    return form.pack(np.where(sky, SKY_CODE, codes).astype(np.uint16))


def _look_up(codes: NDArray[np.uint16], table: NDArray[np.float32]) -> DepthState:
    table[[INVALID_CODE, SKY_CODE]] = 0
    # No code lies beyond the table; to be told so halves the time.
    return table.take(codes, mode="wrap"), codes == SKY_CODE
