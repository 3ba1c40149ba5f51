"""Whether a file is whole, told by its two ends: quick enough for every file of a download."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ppvd.data.encode import JPEG_SIGNATURE, PNG_SIGNATURE
from ppvd.data.raw.files import LFS_SIGNATURE

PNG_END = b"IEND\xaeB`\x82"
JPEG_END = b"\xff\xd9"
# Programs append a little to a JPEG behind its end.
TAIL_BYTES = 4096
HEAD_BYTES = 64


def fault_of(path: Path) -> str:
    """Return what is wrong with a file, or nothing if it seems whole.

    A picture that ends as pictures of its kind do is taken for whole: what is damaged within is
    only seen by decoding it.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(size - TAIL_BYTES, 0))
            tail = stream.read()
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return next(_faults(head, tail), "") or (_npy_fault(path) if path.suffix == ".npy" else "")


def _faults(head: bytes, tail: bytes) -> Iterator[str]:
    if not head:
        yield "it is empty"
    if head.startswith(LFS_SIGNATURE):
        yield "it is a Git LFS pointer, not the file: fetch it"
    if head.lstrip()[:1] == b"<" and b"<html" in (head + tail).lower():
        yield "it is a web page, perhaps of a download that wanted a login"
    if head.startswith(PNG_SIGNATURE) and PNG_END not in tail:
        yield "it is a PNG that breaks off"
    if head.startswith(JPEG_SIGNATURE) and JPEG_END not in tail:
        yield "it is a JPEG that breaks off"


def _npy_fault(path: Path) -> str:
    """Compare an array's header with its file's length; the numbers are not read."""
    try:
        np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError):
        return "it is no whole .npy file"
    return ""
