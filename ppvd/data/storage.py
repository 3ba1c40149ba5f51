"""Reading bytes by location: a path of this machine, or a URL of an object store.

obstore speaks to the stores and takes credentials and endpoints from the providers' environment
variables (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, ``GOOGLE_APPLICATION_CREDENTIALS``,
``AZURE_STORAGE_ACCOUNT_NAME`` and their kin). Its own retries are off: ours go on at the byte where
a connection broke, in the same version of the object.
"""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from ppvd.data.retry import changed, persistently

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ObjectStore

SCHEMES = ("az", "gs", "http", "https", "s3")
# Silence for so long is a broken connection.
READ_TIMEOUT_S = 30.0
# What a reader takes from the network at once, and at most has to take again after a break.
CHUNK_BYTES = 2**17


def is_url(location: str | Path) -> bool:
    """Return whether ``location`` names an object store rather than a path."""
    return isinstance(location, str) and urlsplit(location).scheme in SCHEMES


def can_list(location: str) -> bool:
    """Return whether what lies below ``location`` can be listed, and written: not over HTTP."""
    return urlsplit(location).scheme not in ("http", "https")


def local_path(location: str | Path) -> Path:
    """Return the path that a location of this machine names, ``file://`` or plain."""
    text = str(location)
    return Path(unquote(urlsplit(text).path) if text.startswith("file://") else text)


def join(folder: str, name: str) -> str:
    """Return the location of ``name`` within ``folder``."""
    return f"{folder.rstrip('/')}/{name}"


def parent(location: str) -> str:
    """Return the folder that holds ``location``."""
    return location.rpartition("/")[0] if is_url(location) else str(local_path(location).parent)


def open_sized(location: str) -> tuple[BinaryIO, int]:
    """Open a file or object for reading from its first to its last byte.

    An object is one version of it: if it is replaced while it is read, reading stops.

    Args:
        location: Path or URL.

    Returns:
        Stream and number of bytes in it. That of an object cannot seek.

    Raises:
        OSError: With the location, and what to do, if it cannot be read; later reads raise it too.
    """
    if is_url(location):
        reader = ObjectReader(location)
        return io.BufferedReader(reader, CHUNK_BYTES), reader.num_bytes
    stream = local_path(location).open("rb")
    return stream, os.fstat(stream.fileno()).st_size


def read_bytes(location: str) -> bytes:
    """Return all bytes of a file or object; errors are those of ``open_sized``."""
    stream, _ = open_sized(location)
    with stream:
        return stream.read()


def sha256(location: str | Path) -> str:
    """Return the checksum of a file or object in lower-case hexadecimal."""
    stream, _ = open_sized(str(location))
    with stream:
        return file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


@contextmanager
def on_this_machine(location: str) -> Iterator[Path]:
    """Lend a path with the content of a file or object; that of an object is removed afterwards."""
    if not is_url(location):
        yield local_path(location)
        return
    with tempfile.NamedTemporaryFile(prefix="ppvd-") as copy:
        stream, _ = open_sized(location)
        with stream:
            shutil.copyfileobj(stream, copy, CHUNK_BYTES)
        copy.flush()
        yield Path(copy.name)


class ObjectReader(io.RawIOBase):
    """One version of one object, read on after each break from the byte where it came.

    Args:
        url: Where it is.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._version: ObjectMeta | None = None
        self._chunks: Iterator[bytes] | None = None
        self._chunk = memoryview(b"")
        self._position = 0
        persistently(self._connect, url=url)

    @property
    def num_bytes(self) -> int:
        """Size of the object."""
        assert self._version is not None, "the constructor has connected"
        return self._version["size"]

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Fill ``buffer`` with what has arrived; 0 is the end of the object."""
        if not self._chunk and self._position < self.num_bytes:
            self._chunk = memoryview(persistently(self._receive, url=self._url))
            self._position += len(self._chunk)
        count = min(len(buffer), len(self._chunk))
        buffer[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count

    def close(self) -> None:
        """Give up the connection."""
        self._chunks = None
        super().close()

    def _receive(self) -> bytes:
        """Return the next chunk; a connection that fails to give one is dropped."""
        if self._chunks is None:
            self._connect()
        chunks, self._chunks = self._chunks, None
        assert chunks is not None, "connected above"
        chunk = next(chunks, b"")
        if not chunk:
            raise ConnectionError(f"ended at byte {self._position} of {self.num_bytes}")
        self._chunks = chunks
        return chunk

    def _connect(self) -> None:
        import obstore

        store, name = object_at(self._url)
        known = self._version
        options: GetOptions = {"range": {"offset": self._position}} if self._position else {}
        # A weak tag (W/...) is no name of bytes, and no server would accept it here.
        if known and (known["e_tag"] or "W/").startswith('"'):
            options["if_match"] = known["e_tag"]
        answer = obstore.get(store, name, options=options)
        if known is not None and _identity(answer.meta) != _identity(known):
            raise changed(self._url)
        self._version = answer.meta
        self._chunks = iter(answer.stream(CHUNK_BYTES))


@cache
def _store(root: str) -> "ObjectStore":
    from obstore.store import from_url

    # Opened by this process: one that was forked later would wait for ever on its threads.
    return from_url(
        root,
        # Both the whole of a large shard and a reader's pauses may take long; silence may not.
        client_options={
            "allow_http": True,
            "read_timeout": f"{int(1000 * READ_TIMEOUT_S)}ms",
            "timeout": "1d",
        },
        retry_config={"max_retries": 0},
    )


def object_at(url: str) -> tuple["ObjectStore", str]:
    """Return the store that holds ``url`` and the object's name in it.

    Raises:
        OSError: If this process was forked from one that used obstore.
        ValueError: If the URL names no object.
    """
    parts = urlsplit(url)
    if not parts.netloc or not parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"URL must be scheme://bucket/name and no more, got {url!r}")
    _check_process()
    return _store(f"{parts.scheme}://{parts.netloc}"), unquote(parts.path).lstrip("/")


_users: list[int] = []


def _check_process() -> None:
    """Raise where obstore would hang: its threads do not survive a fork."""
    if not _users:
        _users.append(os.getpid())
    if _users[0] != os.getpid():
        raise OSError(
            errno.ENOTSUP,
            "object stores cannot be read in a process forked from one that has read them: start"
            " processes with the method spawn",
        )


def _identity(meta: "ObjectMeta") -> tuple[object, ...]:
    """Return what tells one version of an object from another: its tag, else its date."""
    return meta["size"], meta["e_tag"] or meta["last_modified"]
