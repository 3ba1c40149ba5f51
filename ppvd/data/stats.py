"""What a shard set holds in numbers, and which pictures are in it, or in several, twice."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ppvd.data.archive import read_samples
from ppvd.data.decode import RawSample, decode
from ppvd.data.frame import Frame
from ppvd.data.manifest import Manifest, manifest_path
from ppvd.data.source import located
from ppvd.data.storage import parent

# Octaves of depth that are counted apart: from 2^-6, 16 mm, to 2^14, 16 km; the ends take the rest.
LOWEST, HIGHEST = -6, 14


@dataclass(slots=True)
class SetStats:
    """Counts over all frames of a set.

    Attributes:
        manifest: Manifest of the set.
        lengths: Samples by their number of frames.
        sizes: Frames by height and width.
        posed: Frames with a pose.
        pixels: Pixels of all frames.
        sky: Of these, sky.
        octaves: Measured pixels by octave of depth, from 2^``LOWEST`` m.
        pictures: Keys of the frames by the hash of their picture's bytes.
    """

    manifest: Manifest
    lengths: Counter[int] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    posed: int = 0
    pixels: int = 0
    sky: int = 0
    octaves: NDArray[np.int64] = field(default_factory=lambda: np.zeros(HIGHEST - LOWEST, np.int64))
    pictures: dict[bytes, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def frames(self) -> int:
        """Frames of all samples."""
        return sum(self.sizes.values())

    @property
    def measured(self) -> int:
        """Pixels with a measured depth."""
        return int(self.octaves.sum())

    def add(self, frame: Frame, picture: bytes) -> None:
        """Count one frame, whose picture is stored as ``picture``."""
        self.sizes[frame.depth.shape[0], frame.depth.shape[1]] += 1
        self.posed += frame.pose is not None
        self.pixels += frame.depth.size
        self.sky += int(frame.sky.sum())
        octave = np.floor(np.log2(frame.depth[frame.valid])).astype(np.int64)
        places = octave.clip(LOWEST, HIGHEST - 1) - LOWEST
        self.octaves += np.bincount(places, minlength=HIGHEST - LOWEST)
        self.pictures[blake2b(picture, digest_size=16).digest()].append(frame.key)


def measure(
    place: str, *, root: str | None = None, advance: Callable[[int], object] = lambda _: None
) -> SetStats:
    """Read a whole set and count.

    Args:
        place: Manifest, or the folder that holds it, as a recipe names it.
        root: Folder or URL of the shards; the manifest's own if None.
        advance: Called with the count of samples read since the last call.

    Raises:
        ShardError: If the set cannot be read; `ppvd shards check` lists all that is wrong.
    """
    place = located(place)
    stats = SetStats(manifest=Manifest.load(place))
    for raw in _samples(stats.manifest, root or parent(manifest_path(place))):
        stats.lengths[len(raw.info.frames)] += 1
        for number in range(len(raw.info.frames)):
            picture = raw.members[raw.info.member(raw.info.image, frame=number)]
            stats.add(decode(raw, frame=number), picture)
        advance(1)
    return stats


def _samples(manifest: Manifest, root: str) -> Iterator[RawSample]:
    for entry in manifest.shards:
        yield from read_samples(entry, root=root)


def twins(sets: Mapping[str, SetStats]) -> list[list[str]]:
    """Return the frames whose pictures are equal byte for byte, those of one picture together.

    Args:
        sets: Sets by name.

    Returns:
        Names ``set: key``; a list of one name never occurs.
    """
    found: defaultdict[bytes, list[str]] = defaultdict(list)
    for name, stats in sets.items():
        for digest, keys in stats.pictures.items():
            found[digest] += [f"{name}: {key}" for key in keys]
    return sorted(names for names in found.values() if len(names) > 1)
