"""Reading one shard strictly: every sample whole and as written, or an error that names the file.

WebDataset's own tar stage ends silently where a tar was cut between two members, hands out
samples that lack a member, and can join two shards' members under one key. None of that is
acceptable for pairs of picture and depth, so grouping and checking are done here; the split of
member names, writing and shuffling are WebDataset's.
"""

import tarfile
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import BinaryIO, Literal

from webdataset.tariterators import base_plus_ext

from ppvd.data.decode import RawSample
from ppvd.data.errors import BadSampleError, SampleError, ShardError
from ppvd.data.manifest import ShardEntry
from ppvd.data.schema import check_key, unseal
from ppvd.data.storage import join, open_sized

Opener = Callable[[str, ShardEntry], tuple[BinaryIO, int]]
"""Opens a shard, given its location and entry; returns the stream and its size in bytes."""

Group = tuple[str, dict[str, bytes]]


def open_shard(location: str, entry: ShardEntry) -> tuple[BinaryIO, int]:  # noqa: ARG001
    """Open a shard where it lies; the plainest `Opener`."""
    return open_sized(location)


def read_samples(
    entry: ShardEntry,
    *,
    root: str,
    start: int = 0,
    stop: int | None = None,
    opener: Opener = open_shard,
) -> Iterator[RawSample]:
    """Yield the samples ``start <= number < stop`` of a shard in their order.

    Members of earlier samples are skipped unread where the stream can seek, and the stream ends
    at ``stop``; a read up to the last sample also demands that nothing follows it.

    Args:
        entry: What the manifest says of the shard.
        root: Folder or URL prefix that holds it.
        start: Number of the first sample to yield.
        stop: Number after the last one; None for the end of the shard.
        opener: Opens the shard.

    Raises:
        ShardError: If the shard is missing, of another size or number of samples than the manifest
            says, or damaged.
        BadSampleError: If one sample breaks the schema; those after it can be read.
    """
    url = join(root, entry.file)
    stop = entry.num_samples if stop is None else stop
    num_seen = 0
    groups = _groups(url, entry, start=start, stop=stop, opener=opener)
    for number, (key, members) in enumerate(groups):
        num_seen += 1
        if number < start:
            continue
        try:
            check_key(key)
            info = unseal(members)
        except SampleError as error:
            raise BadSampleError(f"shard {url}, sample {key}: {error}") from error
        del members["json"]
        yield RawSample(key=key, shard=url, info=info, members=members)
    if num_seen != stop:
        raise ShardError(
            f"shard {url} must hold {entry.num_samples} samples as its manifest says, but it ends"
            f" after {num_seen}: restore the file or build the set again"
        )


def _groups(
    url: str, entry: ShardEntry, *, start: int, stop: int, opener: Opener
) -> Iterator[Group]:
    """Yield key and members of the first ``stop`` samples, payloads empty before ``start``."""
    try:
        stream, num_bytes = opener(url, entry)
        with stream:
            _check_size(url, entry, num_bytes)
            mode: Literal["r:", "r|"] = "r:" if stream.seekable() else "r|"
            with tarfile.open(fileobj=stream, mode=mode) as archive:
                yield from _grouped(url, entry, archive, start=start, stop=stop)
    except FileNotFoundError as error:
        raise ShardError(
            f"shard {url} must exist, its manifest lists it: restore the file, name the root that"
            " holds it, or build the set again"
        ) from error
    except OSError as error:
        raise ShardError(f"shard {url} cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, EOFError) as error:
        raise ShardError(f"shard {url} must be a readable tar file: {error}") from error


def _check_size(url: str, entry: ShardEntry, num_bytes: int) -> None:
    if num_bytes != entry.bytes:
        raise ShardError(
            f"shard {url} must have {entry.bytes} bytes as its manifest says, got {num_bytes}:"
            " restore the file or build the set again"
        )


def _grouped(
    url: str, entry: ShardEntry, archive: tarfile.TarFile, *, start: int, stop: int
) -> Iterator[Group]:
    finished: set[str] = set()
    for number, (key, named) in enumerate(groupby(_named(url, archive), key=itemgetter(0))):
        if number == stop:
            break
        if key in finished:
            raise ShardError(f"shard {url} must hold each sample once, got {key!r} again")
        finished.add(key)
        members: dict[str, bytes] = {}
        for _, suffix, member in named:
            if suffix in members:
                raise ShardError(
                    f"shard {url} must hold each member once, got {member.name!r} again"
                )
            members[suffix] = _payload(url, archive, member) if number >= start else b""
        yield key, members
    else:
        return
    if stop == entry.num_samples:
        raise ShardError(f"shard {url} must hold {stop} samples, but {key!r} comes after them")


def _named(url: str, archive: tarfile.TarFile) -> Iterator[tuple[str, str, tarfile.TarInfo]]:
    for member in archive:
        key, suffix = base_plus_ext(member.name)
        if not member.isreg() or key is None:
            raise ShardError(f"shard {url} must hold samples alone, got member {member.name!r}")
        yield key, suffix, member


def _payload(url: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    payload = stream.read() if stream else b""
    if len(payload) != member.size:
        raise ShardError(
            f"shard {url} must hold {member.size} bytes of {member.name}, got {len(payload)}"
        )
    return payload
