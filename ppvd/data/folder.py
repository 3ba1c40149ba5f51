"""Where a shard set is written: a folder of this machine, or one in an object store.

A file or object gets its name only when all of it is there. Object stores promise that of each
upload; what they then hold is read back and compared all the same.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from ppvd.data.errors import ShardError
from ppvd.data.manifest import Manifest, ShardEntry
from ppvd.data.retry import persistently
from ppvd.data.storage import can_list, is_url, join, local_path, object_at, read_bytes, sha256
from ppvd.whole import write_whole


class Folder(Protocol):
    """Files under one location."""

    location: str

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def save(self, name: str, content: bytes) -> None:
        """Write a small file in one step; one of that name is replaced."""

    def appearing(self, name: str) -> AbstractContextManager[Path]:
        """Lend a local path to write to; afterwards all of it gets its ``name``, or none."""

    def is_whole(self, shard: ShardEntry) -> bool:
        """Return whether the shard is there and as it was written."""

    def remove(self, name: str) -> None:
        """Remove a file, which need not exist."""


def folder_at(location: str | Path) -> Folder:
    """Return the folder that a path or URL names."""
    return ObjectFolder(str(location)) if is_url(location) else LocalFolder(local_path(location))


def load_from(folder: Folder, name: str) -> Manifest | None:
    """Return a manifest of the folder, or None if it holds none of that name."""
    return Manifest.load(join(folder.location, name)) if name in folder.names() else None


class LocalFolder:
    """A folder of this machine.

    Args:
        path: Where; it is made when the first file is written.
    """

    def __init__(self, path: Path) -> None:
        self.location = str(path)
        self._path = path

    def names(self) -> list[str]:
        """See `Folder`."""
        return sorted(path.name for path in self._path.iterdir()) if self._path.exists() else []

    def save(self, name: str, content: bytes) -> None:
        """See `Folder`."""
        write_whole(self._path / name, content)

    @contextmanager
    def appearing(self, name: str) -> Iterator[Path]:
        """See `Folder`; if nothing is written, nothing appears."""
        self._path.mkdir(parents=True, exist_ok=True)
        part = self._path / f"{name}.{os.getpid()}.part"
        try:
            yield part
            if part.exists():
                part.replace(self._path / name)
        finally:
            part.unlink(missing_ok=True)

    def is_whole(self, shard: ShardEntry) -> bool:
        """See `Folder`; the checksum is compared."""
        path = self._path / shard.file
        return (
            path.is_file() and path.stat().st_size == shard.bytes and sha256(path) == shard.sha256
        )

    def remove(self, name: str) -> None:
        """See `Folder`."""
        (self._path / name).unlink(missing_ok=True)


class ObjectFolder:
    """The objects of a store under one prefix.

    Args:
        url: The prefix.
    """

    def __init__(self, url: str) -> None:
        self.location = url.rstrip("/")

    def names(self) -> list[str]:
        """See `Folder`; only what lies in the folder itself."""
        if not can_list(self.location):
            sentence = "over HTTP it can be read alone: name it by the store's own scheme"
            raise OSError(errno.ENOTSUP, sentence, self.location)
        import obstore

        store, prefix = object_at(self.location)
        listed = persistently(
            lambda: obstore.list_with_delimiter(store, prefix)["objects"], url=self.location
        )
        # Some stores list the empty folder itself.
        paths = (meta["path"] for meta in listed if meta["path"] != prefix)
        return sorted(path.rpartition("/")[2] for path in paths)

    def save(self, name: str, content: bytes) -> None:
        """See `Folder`."""
        self._put(name, content)
        if read_bytes(join(self.location, name)) != content:
            raise self._spoilt(name)

    @contextmanager
    def appearing(self, name: str) -> Iterator[Path]:
        """See `Folder`; it is uploaded, read back and compared."""
        with tempfile.TemporaryDirectory(prefix="ppvd-") as folder:
            part = Path(folder, name)
            yield part
            if not part.exists():
                return
            self._put(name, part)
            if sha256(join(self.location, name)) != sha256(part):
                raise self._spoilt(name)

    def is_whole(self, shard: ShardEntry) -> bool:
        """See `Folder`; the size is compared, as the content was when it was uploaded."""
        import obstore

        store, name = object_at(join(self.location, shard.file))
        try:
            meta = persistently(lambda: obstore.head(store, name), url=self.location)
        except FileNotFoundError:
            return False
        return meta["size"] == shard.bytes

    def remove(self, name: str) -> None:
        """See `Folder`."""
        import obstore

        store, path = object_at(join(self.location, name))
        try:
            persistently(lambda: obstore.delete(store, path), url=join(self.location, name))
        except FileNotFoundError:
            return

    def _put(self, name: str, content: bytes | Path) -> None:
        import obstore

        store, path = object_at(join(self.location, name))
        persistently(lambda: obstore.put(store, path, content), url=join(self.location, name))

    def _spoilt(self, name: str) -> ShardError:
        self.remove(name)
        where = join(self.location, name)
        return ShardError(
            f"{where} must read as it was written, but does not: it was removed again"
        )
