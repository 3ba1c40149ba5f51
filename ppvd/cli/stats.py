"""``ppvd shards stats``: what shard sets hold, and what is in them twice."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tqdm import tqdm

from ppvd.cli.counted import counted

if TYPE_CHECKING:
    from ppvd.data.stats import SetStats

DESCRIPTION = """\
Count what shard sets hold: sizes, measured and sky pixels, how far away things are. Pictures that
are equal byte for byte are listed; a picture that several sets hold ends with status 1, since a
set to test on must not be trained on.
"""
BAR = 40
MAX_LISTED = 20


def add_stats(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ppvd shards stats`` to its parser."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "folders", metavar="SET", nargs="+", help="folder of a set, or its manifest; or a URL"
    )
    parser.set_defaults(run=_run, folder="the sets")


def _run(options: argparse.Namespace) -> int:
    from ppvd.data.stats import measure, twins

    sets: dict[str, SetStats] = {}
    with tqdm(unit="sample", desc="stats", disable=None) as bar:
        for folder in options.folders:
            sets[folder] = measure(folder, advance=bar.update)
    for folder, stats in sets.items():
        print(
            "\n".join(
                (f"{folder}: {stats.manifest.split} of {stats.manifest.dataset}", *_lines(stats))
            )
        )
    found = twins(sets)
    pictures = counted(len(found), "picture", none="no")
    print(f"{pictures} {'is' if len(found) == 1 else 'are'} there more than once")
    for names in found[:MAX_LISTED]:
        print("  " + " = ".join(names))
    holders = ({name.partition(": ")[0] for name in names} for names in found)
    return int(any(len(names) > 1 for names in holders))


def _lines(stats: "SetStats") -> Iterator[str]:
    lengths = ", ".join(f"{n} of {length}" for length, n in sorted(stats.lengths.items()))
    yield f"  samples by frames: {lengths}"
    sizes = ", ".join(f"{n} of {w}x{h}" for (h, w), n in stats.sizes.most_common(MAX_LISTED))
    yield f"  frames by size:    {sizes}"
    yield f"  frames with pose:  {_percent(stats.posed, stats.frames)}"
    unknown = stats.pixels - stats.measured - stats.sky
    shares = [_percent(part, stats.pixels) for part in (stats.measured, stats.sky, unknown)]
    yield "  pixels:            {} measured, {} sky, {} unknown".format(*shares)
    yield from _histogram(stats)


def _histogram(stats: "SetStats") -> Iterator[str]:
    """Yield one bar for each octave of depth between the nearest and the farthest."""
    from ppvd.data.stats import LOWEST

    held = stats.octaves.nonzero()[0]
    for octave in range(held.min(), held.max() + 1) if held.size else ():
        low, count = 2.0 ** (octave + LOWEST), int(stats.octaves[octave])
        bar = "#" * round(BAR * count / int(stats.octaves.max()))
        yield f"  {low:8.4g} to {2 * low:<6.4g} m {_percent(count, stats.measured):>7} {bar}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"
