"""Writing a shard set: interrupted at any moment, it goes on where it stopped.

A shard gets its name only when all of it is on the disk, or in the object store. What is finished
stands in ``unfinished.json``, a manifest of its own, until the real manifest is written as the last
act.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import webdataset

from ppvd.data.encode import TOOL
from ppvd.data.errors import ShardError
from ppvd.data.folder import Folder, folder_at, load_from
from ppvd.data.manifest import MANIFEST_NAME, LeftOut, Manifest, ShardEntry
from ppvd.data.produce import Produced, SampleSource, produce
from ppvd.data.schema import Split, check_key
from ppvd.data.storage import sha256

UNFINISHED_NAME = "unfinished.json"
SHARD_BYTES = 256 * 2**20
# A small set is still cut into some shards: their order is what readers shuffle first.
MIN_SHARDS = 16
MIN_SAMPLES = 32


def build_shards(
    source: SampleSource,
    out: Path | str,
    *,
    name: str,
    split: Split,
    samples_per_shard: int | None = None,
    num_workers: int = 1,
    max_left_out: float = 0.01,
    advance: Callable[[int], object] = lambda _: None,
) -> Manifest:
    """Write all samples of ``source`` as a shard set to ``out``.

    The same arguments give the same bytes. Shards that an earlier run of the same build finished
    are kept if their checksums hold; a finished set is returned as it is.

    Args:
        source: Where the samples come from.
        out: Folder of the set, or its URL in an object store, where each shard is uploaded once it
            is made; it may hold nothing else than this set.
        name: Name of the set, prefix of its shards.
        split: Split the set is for.
        samples_per_shard: None for shards of about 256 MB, at least 16 of them if there are
            samples enough.
        num_workers: Processes that make samples.
        max_left_out: Share of the samples that may be unfit before the build fails.
        advance: Called with the count of samples done since the last call.

    Raises:
        ShardError: If ``out`` holds another set, a process dies or too many samples are unfit.
        OSError: If ``out`` cannot be written.
    """
    check_key(name)
    if samples_per_shard is None:
        samples_per_shard = default_samples_per_shard(len(source), source.sample_bytes)
    wanted = Manifest(
        name=name,
        dataset=source.dataset,
        split=split,
        licence=source.licence,
        source=source.describe() | {"samples_per_shard": samples_per_shard},
        tool=TOOL,
        shards=(),
    )
    folder = folder_at(out)
    manifest = _resume(folder, wanted)
    ranges = _ranges(len(source), samples_per_shard)
    files = [f"{name}-{split}-{number:06d}.tar" for number in range(len(ranges))]
    finished = {shard.file for shard in manifest.shards}
    todo = [pair for pair in zip(files, ranges, strict=True) if pair[0] not in finished]
    advance(len(source) - sum(len(indices) for _, indices in todo))
    indices = (index for _, indices in todo for index in indices)
    with closing(produce(source, indices, split=split, num_workers=num_workers)) as produced:
        for file, members in todo:
            samples = _counted(islice(produced, len(members)), advance)
            manifest = _merged(manifest, *_write_shard(folder, file, samples))
            if manifest.shards:
                folder.save(UNFINISHED_NAME, manifest.to_bytes())
    _check_left_out(manifest, num_samples=len(source), max_left_out=max_left_out)
    folder.save(MANIFEST_NAME, manifest.to_bytes())
    folder.remove(UNFINISHED_NAME)
    return manifest


def default_samples_per_shard(num_samples: int, sample_bytes: int) -> int:
    """Return how many samples of about ``sample_bytes`` go into one shard."""
    by_bytes = max(SHARD_BYTES // sample_bytes, 1)
    return min(by_bytes, max(-(-num_samples // MIN_SHARDS), MIN_SAMPLES))


def _resume(folder: Folder, wanted: Manifest) -> Manifest:
    """Return ``wanted`` with the shards that ``folder`` holds already and whole."""
    for name in (MANIFEST_NAME, UNFINISHED_NAME):
        held = load_from(folder, name)
        if held is None:
            continue
        if replace(held, shards=(), left_out=()) != wanted:
            raise ShardError(
                f"out {folder.location} must be empty or hold the same set, but {name} there says"
                f" {_differences(held, wanted)}: choose another folder, or delete this one"
            )
        wanted = replace(held, shards=tuple(filter(folder.is_whole, held.shards)))
        if wanted != held:
            folder.save(UNFINISHED_NAME, wanted.to_bytes())
            folder.remove(MANIFEST_NAME)
        break
    for name in folder.names():
        if name.endswith(".part"):
            folder.remove(name)
    return wanted


def _differences(held: Manifest, wanted: Manifest) -> str:
    names = ("name", "dataset", "split", "licence", "source", "tool")
    pairs = ((name, getattr(held, name), getattr(wanted, name)) for name in names)
    return ", ".join(f"{name} {old} (wanted {new})" for name, old, new in pairs if old != new)


def _ranges(num_samples: int, samples_per_shard: int) -> list[range]:
    starts = range(0, num_samples, samples_per_shard)
    return [range(start, min(start + samples_per_shard, num_samples)) for start in starts]


def _write_shard(
    folder: Folder, name: str, produced: Iterator[Produced | LeftOut]
) -> tuple[ShardEntry | None, list[LeftOut]]:
    """Write one shard under a passing name; it gets its own when all of it is on the disk."""
    with folder.appearing(name) as part:
        with part.open("wb") as stream:
            num_samples, left_out = _write_samples(stream, produced)
            stream.flush()
            os.fsync(stream.fileno())
        if num_samples == 0:
            part.unlink()
            return None, left_out
        entry = ShardEntry(
            file=name,
            num_samples=num_samples,
            bytes=part.stat().st_size,
            sha256=sha256(part),
        )
    return entry, left_out


def _write_samples(
    stream: BinaryIO, produced: Iterator[Produced | LeftOut]
) -> tuple[int, list[LeftOut]]:
    num_samples, left_out = 0, []
    with webdataset.TarWriter(stream, encoder=False, mtime=0) as writer:
        for sample in produced:
            if isinstance(sample, LeftOut):
                left_out.append(sample)
                continue
            writer.write({"__key__": sample.key, **sample.members})
            left_out.extend(sample.left_out)
            num_samples += 1
    return num_samples, left_out


def _counted(
    produced: Iterator[Produced | LeftOut], advance: Callable[[int], object]
) -> Iterator[Produced | LeftOut]:
    for sample in produced:
        yield sample
        advance(1)


def _merged(manifest: Manifest, entry: ShardEntry | None, left_out: list[LeftOut]) -> Manifest:
    shards = (*manifest.shards, *([entry] if entry else []))
    return replace(
        manifest,
        shards=tuple(sorted(shards, key=lambda shard: shard.file)),
        left_out=tuple(dict.fromkeys((*manifest.left_out, *left_out))),
    )


def _check_left_out(manifest: Manifest, *, num_samples: int, max_left_out: float) -> None:
    missing = [item for item in manifest.left_out if item.whole]
    num_left_out = len(missing)
    if num_left_out > max_left_out * num_samples or not manifest.shards:
        reasons = "; ".join(f"{item.key}: {item.reason}" for item in missing[:3])
        raise ShardError(
            f"at most {max_left_out:.2%} of the {num_samples} samples may be left out, got"
            f" {num_left_out} ({reasons}): mend the source or raise max_left_out"
        )
