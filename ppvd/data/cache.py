"""Shards of object stores, kept on this machine's disk up to a limit."""

import logging
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from ppvd.data.manifest import ShardEntry
from ppvd.data.storage import CHUNK_BYTES, is_url, open_sized, sha256

log = logging.getLogger(__name__)

GB = 10**9


@dataclass(frozen=True, kw_only=True)
class ShardCache:
    """A folder of whole shards, from which those unused for longest are removed.

    A shard is named by its checksum, fetched by one process while others wait, compared, and only
    then seen. Any number of processes, also of several runs, may share the folder; one that is
    killed leaves nothing that another would read. Shards of this machine are opened where they lie.

    Args:
        folder: Where; it is made.
        max_gb: Most that the shards take, also while they are fetched, in GB. One that does not
            fit, because of its size or of others being fetched, is read from its store.

    Raises:
        ValueError: If ``max_gb`` is not positive.
    """

    folder: str
    max_gb: float

    def __post_init__(self) -> None:
        if not self.max_gb > 0:
            raise ValueError(f"max_gb must be positive, got {self.max_gb}")

    def open(self, location: str, entry: ShardEntry) -> tuple[BinaryIO, int]:
        """Open a shard, from the cache if it comes from an object store.

        Args:
            location: Path or URL of the shard.
            entry: What the manifest says of it.

        Returns:
            Stream and number of bytes in it.

        Raises:
            OSError: If it can neither be read nor kept.
        """
        if not is_url(location):
            return open_sized(location)
        path = Path(self.folder, f"{entry.sha256}.tar")
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = _opened(path) or self._fetch(location, entry, path)
        if stream is None:
            return open_sized(location)
        # The date of its last use; a file removed meanwhile is read to its end all the same.
        os.utime(stream.fileno(), ns=(time.time_ns(), time.time_ns()))
        return stream, os.fstat(stream.fileno()).st_size

    def _fetch(self, location: str, entry: ShardEntry, path: Path) -> BinaryIO | None:
        """Bring a shard into the cache; None if there is no room or it is not what it should be."""
        with FileLock(path.with_suffix(".lock")):
            if stream := _opened(path):
                return stream
            part = path.with_suffix(".part")
            part.unlink(missing_ok=True)
            if not self._reserve(part, entry.bytes):
                return None
            try:
                _download(location, part)
                if sha256(part) != entry.sha256:
                    log.warning("shard %s is not as its manifest says: it is not kept", location)
                    return None
                stream = part.open("rb")
                part.replace(path)
                return stream
            finally:
                part.unlink(missing_ok=True)

    def _reserve(self, part: Path, num_bytes: int) -> bool:
        """Make room for a file by taking it up at once; say whether there was any."""
        with FileLock(part.with_name("cache.lock")):
            # Those being fetched come first: one that ends meanwhile counts twice and not never.
            free = self.max_gb * GB - sum(map(_claimed_bytes, part.parent.glob("*.part")))
            kept = sorted(part.parent.glob("*.tar"), key=lambda path: path.stat().st_mtime_ns)
            free -= sum(path.stat().st_size for path in kept)
            while free < num_bytes and kept:
                free += kept[0].stat().st_size
                kept.pop(0).unlink()
            if free < num_bytes:
                return False
            part.touch()
            os.truncate(part, num_bytes)
            return True


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _download(location: str, part: Path) -> None:
    stream, _ = open_sized(location)
    with stream, part.open("r+b") as file:
        shutil.copyfileobj(stream, file, CHUNK_BYTES)
        file.truncate()


def _claimed_bytes(part: Path) -> int:
    """Return the size of a file that is being fetched; one that was given up is removed."""
    try:
        with FileLock(part.with_suffix(".lock"), timeout=0):
            part.unlink(missing_ok=True)
            return 0
    except Timeout:
        return part.stat().st_size if part.exists() else 0
