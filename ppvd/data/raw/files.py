"""From the files of a download to arrays; whatever is wrong with a file is said by its name."""

import io
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
from numpy.typing import NDArray

from ppvd.data.encode import JPEG_SIGNATURE, PNG_SIGNATURE, decode_image
from ppvd.data.errors import SampleError, ShardError

LFS_SIGNATURE = b"version https://git-lfs"
# Byte of a PNG file that says how many bits a channel has.
PNG_BIT_DEPTH = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """A picture as it was distributed.

    Attributes:
        image: sRGB colour, uint8, ``(H, W, 3)``, as the pixels lie in the file: turns that EXIF
            asks for are not made, since depth does not make them either.
        payload: Bytes of the file; None if it is no picture file.
    """

    image: NDArray[np.uint8]
    payload: bytes | None

    @property
    def jpeg(self) -> bytes | None:
        """The file's own bytes if storing them loses nothing and costs no more: a JPEG."""
        is_jpeg = self.payload is not None and self.payload.startswith(JPEG_SIGNATURE)
        return self.payload if is_jpeg else None


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        SampleError: If it is missing, empty, or a pointer that Git LFS left in its place.
    """
    try:
        payload = path.read_bytes()
    except FileNotFoundError as error:
        raise SampleError(f"{_name(path)} is missing") from error
    if payload.startswith(LFS_SIGNATURE):
        raise SampleError(f"{_name(path)} is a Git LFS pointer, not the file: fetch it")
    if not payload:
        raise SampleError(f"{_name(path)} is empty")
    return payload


def read_picture(path: Path) -> Picture:
    """Return a JPEG or PNG file in 8 bits; grey is made colour and opacity is dropped.

    Raises:
        SampleError: If it is missing, damaged or of 16 bits a channel.
    """
    payload = read_bytes(path)
    if payload.startswith(PNG_SIGNATURE) and payload[PNG_BIT_DEPTH : PNG_BIT_DEPTH + 1] == b"\x10":
        raise SampleError(f"{_name(path)} must have 8 bits a channel, got 16")
    try:
        return Picture(image=decode_image(payload), payload=payload)
    except SampleError as error:
        raise SampleError(f"{_name(path)}: {error}") from error


def read_depth_png(path: Path) -> NDArray[np.uint16]:
    """Return the codes ``(H, W)`` of a 16-bit grey picture.

    Raises:
        SampleError: If it is missing, damaged or of another kind.
    """
    payload = np.frombuffer(read_bytes(path), np.uint8)
    codes = cv2.imdecode(payload, cv2.IMREAD_UNCHANGED)
    if codes is None or codes.dtype != np.uint16 or codes.ndim != 2:
        got = "a damaged file" if codes is None else f"{codes.dtype} of shape {codes.shape}"
        raise SampleError(f"{_name(path)} must be a grey picture of 16 bits, got {got}")
    return codes.astype(np.uint16, copy=False)


def read_array(path: Path) -> NDArray[np.generic]:
    """Return the array of a ``.npy`` file.

    Raises:
        SampleError: If it is missing, damaged or holds Python objects.
    """
    try:
        array: NDArray[np.generic] = np.load(io.BytesIO(read_bytes(path)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise SampleError(f"{_name(path)} must be a whole .npy file: {error}") from error
    return array


def read_exr(path: Path, *channels: str) -> tuple[NDArray[np.float32], str]:
    """Return one channel ``(H, W)`` of an OpenEXR file, and its name.

    Args:
        path: File; its name needs not end in ``.exr``.
        channels: Names in order of preference; the first that the file has is read.

    Raises:
        SampleError: If the file is missing, damaged or has none of the channels.
        ShardError: If the package OpenEXR is not installed.
    """
    read_bytes(path)
    library = _library("OpenEXR")
    try:
        held = library.File(str(path), separate_channels=True).channels()
        found = next((name for name in channels if name in held), None)
        pixels = None if found is None else held[found].pixels
    except (RuntimeError, ValueError) as error:
        raise SampleError(f"{_name(path)} must be a whole EXR file: {error}") from error
    if pixels is None or found is None:
        raise SampleError(f"{_name(path)} must have a channel of {channels}, got {sorted(held)}")
    return as_map(pixels, name=_name(path)), found


def read_hdf5(path: Path, dataset: str = "dataset") -> NDArray[np.generic]:
    """Return one array of an HDF5 file.

    Raises:
        SampleError: If the file is missing, damaged or lacks the array.
        ShardError: If the package h5py is not installed.
    """
    content = io.BytesIO(read_bytes(path))
    library = _library("h5py")
    try:
        with library.File(content, "r") as file:
            array: NDArray[np.generic] = file[dataset][()]
    except (OSError, KeyError, RuntimeError) as error:
        raise SampleError(f"{_name(path)} must be a whole HDF5 file: {error}") from error
    return array


def read_table(path: Path) -> list[list[str]]:
    """Return the words of each line of a text file that is neither blank nor a comment (``#``).

    Raises:
        SampleError: If the file is missing or no text.
    """
    try:
        lines = read_bytes(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise SampleError(f"{_name(path)} must be a text file: {error}") from error
    rows = [line.split() for line in lines]
    return [row for row in rows if row and not row[0].startswith("#")]


def as_map(array: NDArray[np.generic], *, name: str) -> NDArray[np.float32]:
    """Return numbers of any kind, ``(H, W)`` or ``(H, W, 1)``, as native float32 ``(H, W)``.

    Raises:
        SampleError: If they are not real numbers or of another shape.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise SampleError(f"{name} must hold one number a pixel, got {array.dtype} {array.shape}")
    with np.errstate(over="ignore"):  # A number beyond float32 is as good as infinite.
        return array.astype(np.float32)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _library(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise ShardError(f"this data set needs {name}: pip install 'ppvd[raw]'") from error
