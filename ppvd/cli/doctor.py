"""``ppvd shards doctor``: what is wrong with a download, before shards are built of it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from ppvd.cli.counted import counted
from ppvd.data.sources import DOWNLOADS

if TYPE_CHECKING:
    from ppvd.data.raw import RawSource

DESCRIPTION = """\
Look for what is wrong with a downloaded data set: missing partners, files that break off or were
never fetched, depth in a wrong unit, ray lengths where planar depth should be. Nothing is changed.
"""
NAMES = sorted(name.lower() for name in DOWNLOADS)


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ppvd shards doctor`` to its parser."""
    parser.description = DESCRIPTION
    parser.add_argument("folder", metavar="RAW", type=Path, help="folder of the unpacked download")
    parser.add_argument(
        "--as",
        dest="reader",
        metavar="NAME",
        choices=NAMES,
        help=f"data set that it is; told by the names of the files if left out: {', '.join(NAMES)}",
    )
    parser.add_argument(
        "--frames",
        type=int,
        default=64,
        metavar="N",
        help="frames to read, evenly spread; 0 for all (default: 64)",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """Print what was found; return 1 if anything is wrong."""
    from ppvd.data.doctor import diagnose
    from ppvd.data.sources import download

    if options.frames < 0:
        raise ValueError(f"frames must not be negative, got {options.frames}")
    reader = download(options.reader or _recognised(options.folder))
    sources: list[RawSource] = [reader(raw=options.folder, split=split) for split in reader.splits]
    print(f"{options.folder}: {reader.dataset}")
    with tqdm(unit="file", desc="doctor", disable=None) as bar:
        findings = diagnose(sources, num_frames=options.frames or None, advance=bar.update)
    for note in findings.notes:
        print(f"  {note}")
    for sentence in findings.sentences():
        print(f"wrong: {sentence}")
    kinds = counted(len(findings.faults), "kind", none="no")
    print(f"{kinds} of faults in {counted(findings.frames, 'frame')}")
    return min(len(findings.faults), 1)


def _recognised(raw: Path) -> str:
    from ppvd.data.layouts import recognise

    names = [name.lower() for name in recognise(raw)]
    if len(names) == 1:
        return names[0]
    got = f"{' and '.join(names)} at once" if names else "none of the known data sets"
    raise ValueError(
        f"the names in {raw} must be those of one data set, but they look like {got}: name another"
        " folder, or the data set by --as"
    )
