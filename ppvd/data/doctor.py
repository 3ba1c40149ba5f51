"""What is wrong with a download, found before shards are built of it.

All frames are listed and both ends of every file are looked at; some frames, evenly spread, are
read as a build would read them, and their numbers are held against what they should be.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ppvd.data.errors import SampleError, ShardError
from ppvd.data.frame import Frame
from ppvd.data.layouts import LAYOUTS
from ppvd.data.planes import PlaneVotes, plane_votes
from ppvd.data.raw import NO_FILE, RawSource, Shot
from ppvd.data.wholeness import fault_of

NUM_EXAMPLES = 3
# So many segments must decide before planes say anything, and so many times more of them for the
# length of the ray (ours).
MIN_VOTES, OUTVOTED = 50, 4


@dataclass(slots=True)
class Findings:
    """What was found, alike things together.

    Attributes:
        frames: Frames that were listed.
        read: Frames that were read.
        faults: Names of files or frames by what is wrong with them.
        notes: What is well, in a sentence each.
    """

    frames: int = 0
    read: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, fault: str, name: str) -> None:
        """Note that ``name`` has ``fault``."""
        self.faults.setdefault(fault, []).append(name)

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each kind of fault, with its count and the first names."""
        for fault, names in sorted(self.faults.items(), key=lambda item: -len(item[1])):
            shown = ", ".join(names[:NUM_EXAMPLES]) + (", ..." if names[NUM_EXAMPLES:] else "")
            yield f"{len(names)} x {fault}: {shown}"


def diagnose(
    sources: Sequence[RawSource],
    *,
    num_frames: int | None = 64,
    advance: Callable[[int], object] = lambda _: None,
) -> Findings:
    """Look through a download.

    Args:
        sources: The reader for each split of the data set.
        num_frames: Frames to read in all, None for every one; the ends of every file are looked at
            in any case.
        advance: Called with the count of files and frames looked at since the last call.

    Raises:
        ShardError: If no split holds a frame.
    """
    findings = Findings()
    listed = _list_frames(sources, findings)
    _check_files(sources[0].raw, [shot for _, shot in listed], findings, advance)
    fit = [(source, shot) for source, shot in listed if not shot.fault]
    count = len(fit) if num_frames is None else min(num_frames, len(fit))
    chosen = [fit[number] for number in np.linspace(0, len(fit) - 1, count).astype(np.int64)]
    frames = _read(chosen, findings, advance)
    _check_numbers(type(sources[0]).__name__, frames, findings)
    return findings


def _list_frames(sources: Sequence[RawSource], findings: Findings) -> list[tuple[RawSource, Shot]]:
    """List each frame once, whatever splits it is in."""
    listed: dict[tuple[Path, Path, int], tuple[RawSource, Shot]] = {}
    refusals: dict[str, str] = {}
    for source in sources:
        try:
            shots = list(source.shots())
        except (ShardError, SampleError) as error:
            refusals.setdefault(str(error), source.split)
            continue
        new = {(s.image, s.depth, s.number): (source, s) for s in shots}
        findings.notes.append(f"{source.split}: {len(new)} frames")
        listed = new | listed
    if not listed:
        raise ShardError("; ".join(refusals) or f"raw {sources[0].raw} must hold frames")
    for refusal, split in refusals.items():
        findings.add("split that cannot be listed", f"{split} ({refusal})")
    for source, shot in listed.values():
        if shot.fault:
            findings.add(shot.fault, source.key(shot))
    findings.frames = len(listed)
    return list(listed.values())


def _check_files(
    raw: Path, shots: Sequence[Shot], findings: Findings, advance: Callable[[int], object]
) -> None:
    files = dict.fromkeys(f for shot in shots for f in (shot.image, shot.depth) if f != NO_FILE)
    for file in files:
        if fault := fault_of(raw / file):
            findings.add(fault, str(file))
        advance(1)


def _read(
    chosen: Sequence[tuple[RawSource, Shot]],
    findings: Findings,
    advance: Callable[[int], object],
) -> Iterator[Frame]:
    for source, shot in chosen:
        try:
            frame = source.take(shot).frame
        except SampleError as error:
            findings.add("frame that cannot be read", f"{source.key(shot)} ({error})")
        else:
            findings.read += 1
            yield frame
        advance(1)


def _check_numbers(reader: str, frames: Iterator[Frame], findings: Findings) -> None:
    votes, medians, sizes = PlaneVotes(), [], Counter[tuple[int, ...]]()
    shares: list[tuple[float, float]] = []
    for frame in frames:
        sizes[frame.depth.shape] += 1
        shares.append((float(frame.valid.mean()), float(frame.sky.mean())))
        if not frame.valid.any():
            findings.add("frame without any valid depth", frame.key)
            continue
        medians.append(float(np.median(frame.depth[frame.valid])))
        votes += plane_votes(frame.depth, frame.valid, frame.intrinsics)
    if medians:
        _summarise(findings, np.array(medians), np.array(shares), sizes)
        _check_unit(reader, np.array(medians), findings)
    _check_planes(votes, findings)


def _summarise(
    findings: Findings,
    medians: NDArray[np.float64],
    shares: NDArray[np.float64],
    sizes: "Counter[tuple[int, ...]]",
) -> None:
    shapes = ", ".join(f"{width}x{height}" for (height, width), _ in sizes.most_common(5))
    valid, sky = shares.mean(axis=0)
    findings.notes.append(
        f"{findings.read} frames read ({shapes}): {valid:.0%} valid, {sky:.0%} sky, middle depth"
        f" {medians.min():.2f} to {medians.max():.2f} m, typically {np.median(medians):.2f} m"
    )


def _check_unit(reader: str, medians: NDArray[np.float64], findings: Findings) -> None:
    low, high = LAYOUTS[reader].median_m
    typical = float(np.median(medians))
    if not low <= typical <= high:
        findings.add(
            "wrong unit of depth, it seems",
            f"the middle of a typical frame should lie {low:g} to {high:g} m away, got {typical:g}"
            " m: look whether this copy was converted with another factor",
        )


def _check_planes(votes: PlaneVotes, findings: Findings) -> None:
    total = votes.planar + votes.distance
    if total < MIN_VOTES:
        findings.notes.append("too few flat surfaces to tell planar depth from the ray's length")
    elif votes.distance > OUTVOTED * votes.planar:
        findings.add(
            "ray length where planar depth should be, it seems",
            f"{votes.distance} of {total} segments of flat surfaces are straight if depth is taken"
            " as the length of the ray, and only then",
        )
    else:
        findings.notes.append(
            f"{votes.planar} of {total} segments of flat surfaces say that depth is planar"
        )
