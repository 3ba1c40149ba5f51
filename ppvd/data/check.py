"""Looking through a whole shard set for anything that is off."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ppvd.data.archive import read_samples
from ppvd.data.build import UNFINISHED_NAME
from ppvd.data.coding import LogU16
from ppvd.data.decode import RawSample, decode
from ppvd.data.errors import BadSampleError, ShardError
from ppvd.data.folder import Folder, folder_at
from ppvd.data.frame import Frame
from ppvd.data.manifest import MANIFEST_NAME, Manifest, ShardEntry, manifest_path
from ppvd.data.storage import can_list, join, on_this_machine, open_sized, parent, sha256

# Depth outside this range is a wrong unit rather than a place (ours).
MIN_DEPTH_M, MAX_DEPTH_M = 0.01, 10_000.0
# Focal length as a multiple of the longer side: fields of view from 152 down to 3 degrees (ours).
MIN_FOCAL, MAX_FOCAL = 0.125, 20.0
# Shifted lenses put the principal point outside the picture, by 0.27 of its height at most in
# Hypersim; more than this share of a side is a mistake (ours).
MAX_SHIFT = 0.5


def check_shards(
    path: str | Path, *, root: str | None = None, advance: Callable[[int], object] = lambda _: None
) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with a shard set.

    It compares files with the manifest (existence, size, checksum, count), reads and decodes every
    frame, and asks whether the numbers can be metres and pixels. Over HTTP, files that the manifest
    does not list are not seen.

    Args:
        path: Manifest, or the folder that holds it, or the URL of either.
        root: Folder or URL prefix of the shards; the manifest's own folder if None.
        advance: Called with the count of samples read since the last call.

    Raises:
        ShardError: If the manifest cannot be read at all.
        OSError: If the folder cannot be listed.
    """
    manifest = Manifest.load(path)
    folder = folder_at(root or parent(manifest_path(path)))
    yield from _check_folder(folder, manifest)
    seen: dict[str, str] = {}
    for entry in manifest.shards:
        for raw in _read_all(folder.location, entry):
            if isinstance(raw, str):
                yield raw
                continue
            advance(1)
            if raw.key in seen:
                yield f"sample {raw.key} is in {seen[raw.key]} and in {entry.file}"
            seen[raw.key] = entry.file
            yield from _check_sample(raw, manifest)


def _check_folder(folder: Folder, manifest: Manifest) -> Iterator[str]:
    listed = {entry.file for entry in manifest.shards}
    if len(listed) != len(manifest.shards) or not listed:
        yield f"the manifest must list shards, each once, got {len(manifest.shards)}"
    found = folder.names() if can_list(folder.location) else []
    for name in found:
        if name.endswith(".tar") and name not in listed:
            yield f"shard {join(folder.location, name)} is not in the manifest"
        if name.endswith(".part"):
            yield f"file {join(folder.location, name)} is left from a build that was interrupted"
    if UNFINISHED_NAME in found:
        what = "the build went on after" if MANIFEST_NAME in found else "there is no"
        yield (
            f"the build in {folder.location} is not finished ({what} {MANIFEST_NAME}): run it again"
        )


def _read_all(root: str, entry: ShardEntry) -> Iterator[RawSample | str]:
    """Yield the samples of a shard, with a sentence in place of each that cannot be read."""
    try:
        with on_this_machine(join(root, entry.file)) as path:
            yield from _read_copy(root, entry, path)
    except OSError as error:
        yield f"shard {join(root, entry.file)} cannot be read: {error.strerror or error}"


def _read_copy(root: str, entry: ShardEntry, path: Path) -> Iterator[RawSample | str]:
    number = 0
    if path.is_file() and (got := sha256(path)) != entry.sha256:
        where = join(root, entry.file)
        yield f"shard {where} must have the manifest's sha256 {entry.sha256}, got {got}"
    while number < entry.num_samples:
        try:
            for raw in read_samples(
                entry, root=root, start=number, opener=lambda *_: open_sized(str(path))
            ):
                yield raw
                number += 1
        except BadSampleError as error:
            yield str(error)
            number += 1
        except ShardError as error:
            yield str(error)
            return


def _check_sample(raw: RawSample, manifest: Manifest) -> Iterator[str]:
    info, where = raw.info, f"shard {raw.shard}, sample {raw.key}"
    expected = (manifest.dataset, manifest.split)
    if (info.dataset, info.split) != expected:
        yield f"{where}: dataset and split must be {expected}, got {info.dataset, info.split}"
    for number in range(len(info.frames)):
        try:
            frame = decode(raw, frame=number)
        except BadSampleError as error:
            yield str(error)
            continue
        for fault in _frame_faults(raw, frame, number=number):
            yield f"{where}, frame {number}: {fault}"


def _frame_faults(raw: RawSample, frame: Frame, *, number: int) -> Iterator[str]:
    coding = raw.info.frames[number].coding
    measured = frame.depth[frame.valid]
    if measured.size == 0 and raw.info.split == "train":
        yield "a training frame must have valid depth, got none"
    if measured.size and not MIN_DEPTH_M <= measured.min() <= measured.max() <= MAX_DEPTH_M:
        low, high = measured.min(), measured.max()
        yield f"depth must be {MIN_DEPTH_M} m to {MAX_DEPTH_M:.0f} m, got {low:g} to {high:g}"
    if isinstance(coding, LogU16) and measured.size > 1 and coding.far > 2 * measured.max():
        yield f"far must be near the farthest depth {measured.max():g} m, got {coding.far:g}"
    yield from _camera_faults(frame)


def _camera_faults(frame: Frame) -> Iterator[str]:
    height, width = frame.depth.shape
    longer = max(height, width)
    focal, centre = frame.intrinsics.diagonal()[:2], frame.intrinsics[:2, 2]
    if not (MIN_FOCAL * longer <= focal.min() and focal.max() <= MAX_FOCAL * longer):
        yield f"focal length must be {MIN_FOCAL} to {MAX_FOCAL} times {longer} px, got {focal}"
    sides = np.array([width, height])
    if not np.all((centre >= -MAX_SHIFT * sides) & (centre <= (1 + MAX_SHIFT) * sides)):
        yield f"principal point must lie near the picture of {width}x{height} px, got {centre}"
    if frame.pose is not None:
        turn = frame.pose[:3, :3]
        if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-4) or np.linalg.det(turn) < 0:
            yield f"pose must hold a rotation, got {turn.tolist()}"
