"""How fast shards become batches: from this machine's disk and from an object store, side by side.

    python -m benchmarks.data_throughput
    python -m benchmarks.data_throughput --url s3://bucket/folder --workers 4

It renders a set of 1024x768 pictures (kept in ``--folder``; another set by ``--shards``), reads it
whole several times in turn by each way, and prints the best of each: samples a second, and a second
of this process's CPU time, which other load on the machine disturbs least. The ways are:

* undecoded: bytes of whole samples, checked;
* integers: decoded and cut, uint8 images and uint16 depth, as the loader yields them;
* floats: the same with floats of both, as tasks see them;
* augmented: random windows and colours, as training reads them.

With ``--url`` the set is uploaded there once; the store's address and credentials are those of the
environment. ``--workers`` adds the loader as a whole, with processes. Last comes the share of its
time that a trainer waits for that loader whose steps take ``--step-ms`` each.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch

from ppvd.cli.allocator import keep_freed_memory
from ppvd.data import Augment, ShardSource, build_shards
from ppvd.data.augment import centre_cut
from ppvd.data.budget import read_pieces
from ppvd.data.collate import LoadedBatch, collate, with_floats
from ppvd.data.decode import RawSample, decode_for_training
from ppvd.data.folder import LocalFolder, ObjectFolder
from ppvd.data.loader import ShardLoader
from ppvd.data.manifest import MANIFEST_NAME
from ppvd.data.plan import pieces
from ppvd.data.source import ShardSet
from ppvd.data.sources.rendered import RenderedScenes
from ppvd.data.storage import read_bytes
from ppvd.data.stream import TrainStream

SIZE = (768, 1024)


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Samples a second of the clock, and of CPU time of this process."""

    wall: float
    cpu: float


def main(words: list[str] | None = None) -> None:
    """Print the table."""
    options = _options(words)
    keep_freed_memory()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    folder = options.shards or _rendered(options.folder, options.count)
    places = {"disk": str(folder)}
    if options.url:
        places["store"] = _uploaded(folder, options.url)
    sets = {place: ShardSource(manifest=location).open() for place, location in places.items()}
    ways: dict[str, Callable[[ShardSet], Iterable[object]]] = {
        "undecoded": _read,
        "integers": _batches,
        "floats": lambda shards: map(with_floats, _batches(shards)),
        "augmented": lambda shards: _loaded(shards, 0),
    }
    if options.workers:
        ways[f"{options.workers} workers"] = lambda shards: _loaded(shards, options.workers)
    for way, read in ways.items():
        speeds = _measure({place: (read, shards) for place, shards in sets.items()}, options.turns)
        print(_row(way, speeds, megabytes=_megabytes(next(iter(sets.values())))))
    for place, shards in sets.items():
        share = wait_share(_loaded(shards, options.workers), step_s=options.step_ms / 1000)
        print(
            f"{place}: a trainer with steps of {options.step_ms:g} ms waits {share:.1%} of the time"
        )


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks.data_throughput", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--folder", type=Path, default=Path("outputs/data_throughput"))
    parser.add_argument("--shards", type=Path, help="folder of a set to read instead")
    parser.add_argument("--url", help="folder in an object store to compare with")
    parser.add_argument("--count", type=int, default=64, help="pictures (default: 64)")
    parser.add_argument("--turns", type=int, default=3, help="readings of each kind (default: 3)")
    parser.add_argument("--workers", type=int, default=0, help="processes of the loader")
    parser.add_argument(
        "--step-ms", type=float, default=20, help="a step of the trainer that waits (default: 20)"
    )
    return parser.parse_args(words)


def _rendered(folder: Path, count: int) -> Path:
    scenes = RenderedScenes(count=count, size=SIZE, seed=0, split="train")
    build_shards(scenes, folder, name="speed", split="train")
    return folder


def _uploaded(folder: Path, url: str) -> str:
    store, held = ObjectFolder(url), LocalFolder(folder).names()
    if MANIFEST_NAME not in store.names():
        for name in sorted(held, key=lambda name: name == MANIFEST_NAME):
            store.save(name, read_bytes(str(folder / name)))
    return url


def _read(shards: ShardSet) -> Iterator[RawSample]:
    plan = list(pieces(shards.counts, start=0, stop=shards.num_samples))
    return read_pieces(shards, plan, on_bad=_stop)


def _stop(error: Exception, num_samples: int) -> None:  # noqa: ARG001
    raise error


def _batches(shards: ShardSet) -> Iterator[LoadedBatch]:
    for raw in _read(shards):
        yield collate([centre_cut(decode_for_training(raw), size=SIZE)], sources=["speed"])


def _loaded(shards: ShardSet, num_workers: int) -> Iterator[LoadedBatch]:
    stream = _stream(shards)
    loader = ShardLoader(stream, rank=0, world=1, num_workers=num_workers, pin_memory=False)
    return iter(loader)


def _stream(shards: ShardSet) -> TrainStream:
    return TrainStream(
        sources={"speed": shards},
        weights={"speed": 1.0},
        size=SIZE,
        batch_size=1,
        num_batches=shards.num_samples,
        seed=0,
        augment=Augment(),
        shuffle_buffer=16,
        max_bad_fraction=0.0,
    )


def _measure(
    readings: dict[str, tuple[Callable[[ShardSet], Iterable[object]], ShardSet]], turns: int
) -> dict[str, Speed]:
    """Return the best speed of each reading; they take turns, so that load meets all alike."""
    best = dict.fromkeys(readings, Speed(wall=0, cpu=0))
    for _ in range(turns):
        for place, (read, shards) in readings.items():
            wall, cpu = time.perf_counter(), time.process_time()
            count = sum(1 for _ in read(shards))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            best[place] = Speed(
                wall=max(best[place].wall, count / wall), cpu=max(best[place].cpu, count / cpu)
            )
    return best


def wait_share(batches: Iterator[object], *, step_s: float) -> float:
    """Return the share of its time that a trainer waits for ``batches``, in [0, 1].

    Its steps leave the processor alone, as those of a GPU do. The wait for the first batch, while
    the readers start and fill their buffers, is left out.

    Args:
        batches: What it trains on, more than one batch.
        step_s: Seconds of one of its steps.
    """
    next(batches)
    waited, begun = 0.0, time.perf_counter()
    left = begun
    for _ in batches:
        entered = time.perf_counter()
        waited += entered - left
        time.sleep(step_s)
        left = time.perf_counter()
    return waited / (left - begun)


def _megabytes(shards: ShardSet) -> float:
    return shards.manifest.num_bytes / shards.num_samples / 1e6


def _row(way: str, speeds: dict[str, Speed], *, megabytes: float) -> str:
    cells = [
        f"{place} {speed.wall:7.1f}/s {speed.wall * megabytes:7.1f} MB/s {speed.cpu:7.1f}/cpu-s"
        for place, speed in speeds.items()
    ]
    if "store" in speeds:
        cells.append(f"store/disk {speeds['store'].wall / speeds['disk'].wall:.2f}")
    return "  ".join([f"{way:12}", *cells])


if __name__ == "__main__":
    main()
