"""Writes the files of downloads, whole and broken, and holds frames to the analytic truth."""

import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppvd.data.build import build_shards
from ppvd.data.check import check_shards
from ppvd.data.errors import SampleError

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"


class Tree:
    """A folder that is filled like a download; every method takes a path relative to it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def bytes(self, name: str, payload: bytes) -> None:
        self.path(name).write_bytes(payload)

    def text(self, name: str, *lines: object) -> None:
        rows = (" ".join(map(str, x)) if isinstance(x, tuple) else str(x) for x in lines)
        self.bytes(name, "".join(f"{row}\n" for row in rows).encode())

    def json(self, name: str, content: object) -> None:
        self.bytes(name, json.dumps(content).encode())

    def picture(self, name: str, size: tuple[int, int], *, channels: int = 3, seed: int = 0):
        """Write a smooth picture of ``size`` (height, width) as the suffix says; return its RGB."""
        rows, columns = np.mgrid[: size[0], : size[1]]
        stack = [rows * 5, columns * 3, 0 * rows + 40 + seed, 0 * rows + 9]
        rgb = (np.stack(stack, -1)[..., :channels] % 256).astype(np.uint8)
        turned = rgb[..., {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]]
        done, payload = cv2.imencode(Path(name).suffix.lower(), np.ascontiguousarray(turned))
        assert done
        self.bytes(name, payload.tobytes())
        return np.repeat(rgb, 3, -1) if channels == 1 else rgb[..., :3]

    def png(self, name: str, codes: np.ndarray) -> None:
        """Write ``codes`` as they are: uint16 is a depth map."""
        done, payload = cv2.imencode(".png", codes)
        assert done
        self.bytes(name, payload.tobytes())

    def npy(self, name: str, array: np.ndarray) -> None:
        with self.path(name).open("wb") as file:
            np.save(file, array)

    def npz(self, name: str, **arrays: np.ndarray) -> None:
        np.savez(self.path(name), **arrays)

    def exr(self, name: str, **channels: np.ndarray) -> None:
        library = pytest.importorskip("OpenEXR")
        header = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage}
        path = self.path(name)
        library.File(header, channels).write(str(path.with_suffix(".exr")))
        path.with_suffix(".exr").rename(path)

    def hdf5(self, name: str, **arrays: np.ndarray) -> None:
        library = pytest.importorskip("h5py")
        with library.File(self.path(name), "w") as file:
            for key, array in arrays.items():
                file[key] = array

    def pointer(self, name: str) -> None:
        """Leave what Git LFS leaves where a file was not fetched."""
        self.bytes(name, LFS_POINTER)

    def truncate(self, name: str, share: float = 0.5) -> None:
        payload = self.path(name).read_bytes()
        self.bytes(name, payload[: int(len(payload) * share)])

    def remove(self, name: str) -> None:
        self.path(name).unlink()


@pytest.fixture
def tree(tmp_path) -> Tree:
    return Tree(tmp_path / "raw")


@pytest.fixture
def frames():
    """Read all samples of a source: frames by key, and the reasons of what is left out."""

    def read(source):
        found, left_out = {}, {}
        for index, entry in enumerate(source.entries):
            try:
                sample = source.sample(index)
            except SampleError as error:
                left_out[entry.key.removeprefix(f"{source.dataset}/")] = str(error)
                continue
            for frame in sample.frames:
                found[frame.key.removeprefix(f"{source.dataset}/")] = frame
        return found, left_out

    return read


@pytest.fixture
def holds(tmp_path):
    """Build the shards of a source, check them, and return the manifest."""

    def build(source, **options):
        out = tmp_path / "out"
        manifest = build_shards(source, out, name="set", split=source.split, **options)
        assert list(check_shards(out)) == []
        return manifest

    return build


@pytest.fixture
def states():
    """Return a map that says of each pixel: 0 unknown, 1 measured, 2 sky."""
    return lambda frame: frame.valid.astype(int) + 2 * frame.sky


@pytest.fixture
def sens():
    return write_sens


def write_sens(
    path, *, poses, version=4, compressions=(2, 1), depth=None, intrinsics_scale=1, steps=1000.0
):
    """Write a scan field by field as ScanNet's reader documents it."""
    name = b"StructureSensor"
    payload = [struct.pack("<IQ", version, len(name)), name]
    colour_matrix, depth_matrix = np.eye(4), np.eye(4)
    colour_matrix[:2, :3] = [[1170, 0, 647], [0, 1171, 483]]
    depth_matrix[:2, :3] = [[578, 0, 319], [0, 579, 239]]
    depth_matrix[:2] *= intrinsics_scale
    for matrix in (colour_matrix, np.eye(4), depth_matrix, np.eye(4)):
        payload.append(matrix.astype("<f4").tobytes())
    payload.append(struct.pack("<ii4If", *compressions, 8, 6, 4, 3, steps))
    payload.append(struct.pack("<Q", len(poses)))
    for number, pose in enumerate(poses):
        _, jpeg = cv2.imencode(".jpg", np.full((6, 8, 3), 10 * number, np.uint8))
        steps = (np.arange(12) + 1000 * number) if depth is None else depth
        packed = zlib.compress(np.asarray(steps).astype("<u2").tobytes())
        payload.append(np.asarray(pose, "<f4").tobytes())
        payload.append(struct.pack("<4Q", 7, 8, len(jpeg), len(packed)))
        payload += [jpeg.tobytes(), packed]
    path.write_bytes(b"".join(payload))
    return path
