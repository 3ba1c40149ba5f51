"""A shard set as a data module names it."""

import os
from dataclasses import dataclass

from ppvd.data.archive import Opener, open_shard
from ppvd.data.cache import ShardCache
from ppvd.data.errors import ShardError
from ppvd.data.manifest import Manifest, manifest_path
from ppvd.data.plan import capped
from ppvd.data.storage import parent


@dataclass(frozen=True, kw_only=True)
class ShardSource:
    """Where a shard set lies and how much of it is used.

    Args:
        manifest: Manifest file, or the folder that holds ``manifest.json``; either may be a URL
            (``s3``, ``gs``, ``az``, ``https``, ``http``). ``$PPVD_DATA`` at the beginning is the
            folder or URL that the environment names, by default ``data_shards``.
        root: Folder or URL prefix of the shards, likewise; the manifest's own folder if None.
        weight: Weight in the training mixture; only proportions matter.
        num_samples: Use only the first so many samples of the set; None for all.
        max_stride: Largest step between neighbouring frames of a training clip; more than 1
            shows faster motion than the set was filmed with.
    """

    manifest: str
    root: str | None = None
    weight: float = 1.0
    num_samples: int | None = None
    max_stride: int = 1

    def __post_init__(self) -> None:
        if self.num_samples is not None and self.num_samples < 1:
            raise ValueError(f"num_samples must be positive, got {self.num_samples}")
        if self.max_stride < 1:
            raise ValueError(f"max_stride must be positive, got {self.max_stride}")

    def open(self) -> "ShardSet":
        """Read the manifest.

        Raises:
            ShardError: If it is missing, damaged or of another schema, or holds too little.
        """
        place = located(self.manifest)
        manifest = Manifest.load(place)
        if self.num_samples is not None and self.num_samples > manifest.num_samples:
            raise ShardError(
                f"num_samples must be at most the {manifest.num_samples} samples of"
                f" {place}, got {self.num_samples}"
            )
        if not manifest.shards:
            raise ShardError(f"manifest {place} must list shards, got none")
        root = located(self.root) if self.root else parent(manifest_path(place))
        counts = capped([shard.num_samples for shard in manifest.shards], self.num_samples)
        return ShardSet(manifest=manifest, root=root, counts=tuple(counts))


def located(place: str) -> str:
    """Return ``place`` with ``$PPVD_DATA`` at its beginning filled in from the environment.

    Recipes name their sets below it, so that one variable moves them all, also to object storage.
    """
    head, slash, rest = place.partition("/")
    if head != "$PPVD_DATA":
        return place
    return (os.environ.get("PPVD_DATA") or "data_shards").rstrip("/") + slash + rest


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSet:
    """A shard set whose manifest has been read.

    Attributes:
        manifest: Its manifest.
        root: Folder or URL prefix of the shards.
        counts: Samples used of each shard.
        cache: Keeps shards of object stores; None opens them where they lie.
    """

    manifest: Manifest
    root: str
    counts: tuple[int, ...]
    cache: ShardCache | None = None

    @property
    def opener(self) -> Opener:
        """Opens a shard of the set."""
        return open_shard if self.cache is None else self.cache.open

    @property
    def num_samples(self) -> int:
        """Samples used."""
        return sum(self.counts)
