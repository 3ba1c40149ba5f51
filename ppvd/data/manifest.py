"""The manifest: what a shard set holds, which is the only way to notice that some of it is gone.

A shard set is one folder (or, read from elsewhere, one URL prefix) of one split of one source.
The manifest is a json file; shards lie beside it unless a ``root`` is given, so the folder that
``ppvd shards build`` wrote can be read as it is, moved, or uploaded with its manifest kept here.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ppvd.data.errors import ShardError
from ppvd.data.schema import SCHEMA_VERSION
from ppvd.data.storage import is_url, join, local_path, read_bytes
from ppvd.whole import write_whole

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardEntry:
    """One tar file of a set.

    Attributes:
        file: Name relative to the root.
        num_samples: Samples in it, in a fixed order.
        bytes: Size of the file.
        sha256: Checksum of the file, lower-case hexadecimal.
    """

    file: str
    num_samples: int
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if not self.file or self.file.startswith("/") or ".." in Path(self.file).parts:
            raise ShardError(f"shard file must be a relative path, got {self.file!r}")
        if self.num_samples < 1 or self.bytes < 1 or len(self.sha256) != 64:
            raise ShardError(f"shard {self.file} must have samples, bytes and a sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A sample that the build did not write, and why.

    Attributes:
        key: Name of the sample, or of the frame.
        reason: What is wrong with it.
        whole: False for a frame alone, without which its segment is in the set.
    """

    key: str
    reason: str
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A shard set.

    Attributes:
        name: Name of the set, the prefix of its shards.
        dataset: Data set the samples come from.
        split: train, val or test.
        licence: Licence of the source's data.
        source: What the build was made of (arguments, revision), enough to repeat it.
        tool: Program and version that wrote the set.
        shards: Tar files in order.
        left_out: Samples of the source that are not in the set.
        schema: Version of the sample and manifest schema.
    """

    name: str
    dataset: str
    split: str
    licence: str
    source: dict[str, object]
    tool: str
    shards: tuple[ShardEntry, ...]
    left_out: tuple[LeftOut, ...] = field(default=())
    schema: int = SCHEMA_VERSION

    @property
    def num_samples(self) -> int:
        """Samples of all shards."""
        return sum(shard.num_samples for shard in self.shards)

    @property
    def num_bytes(self) -> int:
        """Bytes of all shards."""
        return sum(shard.bytes for shard in self.shards)

    def save(self, path: Path) -> None:
        """Write the manifest to ``path`` in one step: a reader sees all of it or none."""
        write_whole(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the manifest as its file holds it."""
        content = asdict(self) | {"num_samples": self.num_samples, "num_bytes": self.num_bytes}
        return (json.dumps(content, indent=1) + "\n").encode()

    @classmethod
    def load(cls, path: str | Path) -> "Manifest":
        """Read a manifest, given the file or the folder that holds ``manifest.json``, or its URL.

        Raises:
            ShardError: If there is none, or it is of another schema, damaged, or at odds with
                its own totals.
        """
        path = manifest_path(path)
        try:
            content = json.loads(read_bytes(path))
        except FileNotFoundError as error:
            raise ShardError(
                f"manifest {path} must exist: build the set with `ppvd shards build`, or name"
                " the folder or file that holds it"
            ) from error
        except OSError as error:
            raise ShardError(f"manifest {path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ShardError(f"manifest {path} must be readable json: {error}") from error
        schema = content.get("schema") if isinstance(content, dict) else type(content).__name__
        if schema != SCHEMA_VERSION:
            raise ShardError(
                f"manifest {path} must be of schema {SCHEMA_VERSION}, got {schema!r}: build the set"
                " again with this version, or read it with the version that wrote it"
            )
        return cls._from_json(path, content)

    @classmethod
    def _from_json(cls, path: str, content: dict[str, object]) -> "Manifest":
        totals = content.pop("num_samples", None), content.pop("num_bytes", None)
        shards, left_out = content.pop("shards", None), content.pop("left_out", ())
        try:
            manifest = cls(
                **content,  # type: ignore[arg-type]
                shards=tuple(ShardEntry(**entry) for entry in shards),  # type: ignore[attr-defined]
                left_out=tuple(LeftOut(**entry) for entry in left_out),  # type: ignore[attr-defined]
            )
        except (TypeError, ShardError) as error:
            raise ShardError(
                f"manifest {path} must have the fields of its schema: {error}"
            ) from error
        if totals != (manifest.num_samples, manifest.num_bytes):
            raise ShardError(
                f"manifest {path} must agree with itself: totals say {totals} samples and bytes,"
                f" its shards {(manifest.num_samples, manifest.num_bytes)}"
            )
        return manifest


def manifest_path(path: str | Path) -> str:
    """Return the manifest's own location, given it or its folder; a URL's ends in ``.json``."""
    if is_url(path):
        text = str(path)
        return text if text.endswith(".json") else join(text, MANIFEST_NAME)
    local = local_path(path)
    return str(local / MANIFEST_NAME if local.is_dir() else local)
