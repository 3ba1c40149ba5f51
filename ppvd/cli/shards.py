"""``ppvd shards``: build shard sets, look at them, and look through downloads."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tqdm import tqdm

from ppvd.cli.counted import counted
from ppvd.cli.doctor import add_doctor
from ppvd.cli.parser import VerbParser
from ppvd.cli.preview import add_preview
from ppvd.cli.stats import add_stats
from ppvd.data.sources import DOWNLOADS

if TYPE_CHECKING:
    from ppvd.data.manifest import Manifest
    from ppvd.data.produce import SampleSource

# More lines than this would bury the summary.
MAX_LISTED = 50
DESCRIPTION = """\
Build and check shard sets, and look through the downloads that they are built of.

A shard set is a folder with tar files and manifest.json: one split of one source. Recipes name
the folder (or the manifest) under data.train, data.val or data.test. An interrupted build goes on
where it stopped when the same command is run again.
"""
EXAMPLES = """\
examples:
  ppvd shards build synthetic --out data_shards/rooms --count 3000 --size 128 128 --workers 2
  ppvd shards build synthetic --out data_shards/rooms_val --count 200 --size 128 128 --split val
  ppvd shards build middlebury --out data_shards/motorcycle
  ppvd shards build hypersim --raw downloads/hypersim --out data_shards/hypersim/train --workers 8
  ppvd shards check data_shards/rooms
  ppvd shards build synthetic --out s3://bucket/rooms --count 3000 --size 128 128
  ppvd shards check s3://bucket/rooms
  ppvd shards preview data_shards/rooms --out rooms.png
  ppvd shards stats data_shards/rooms data_shards/rooms_val
  ppvd shards doctor downloads/hypersim
"""


def main(args: list[str]) -> None:
    """Run ``ppvd shards`` with ``args``.

    Raises:
        SystemExit: With 1 if a check has found faults.
        UsageError: For arguments that cannot be used.
        ValueError: If a build or check fails.
        OSError: If a file or store cannot be used.
        KeyboardInterrupt: After Ctrl-C; it says that what is finished is kept.
    """
    options = _parser(args).parse_args(args)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        status = run(options)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "what is finished is kept: run the same command again to go on"
        ) from None
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(f"{options.folder} cannot be used: {error.strerror or error}") from error
    if status:
        raise SystemExit(status)


def _parser(args: list[str]) -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = VerbParser(
        "ppvd shards", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=style
    )
    verbs = parser.add_subparsers(required=True, metavar="build|check|doctor|preview|stats")
    build = verbs.add_parser(
        "build", help="write a shard set", epilog=EXAMPLES, formatter_class=style
    )
    sources = build.add_subparsers(required=True, metavar="SOURCE")
    _add_synthetic(sources.add_parser("synthetic", help="rendered scenes with exact depth"))
    _add_middlebury(
        sources.add_parser("middlebury", help="one photograph with measured depth (scikit-image)")
    )
    for reader, summary in DOWNLOADS.items():
        name = reader.lower()
        download = sources.add_parser(name, help=summary, formatter_class=style)
        if name in args:  # Only the reader that is asked for is loaded.
            _add_download(download, name=name)
    check = verbs.add_parser("check", help="look for anything that is off in a shard set")
    check.add_argument(
        "folder", metavar="SET", help="folder of the set, or its manifest, or the URL of either"
    )
    check.add_argument(
        "--root", help="folder or URL of the tar files (default: the manifest's own)"
    )
    check.set_defaults(run=_check)
    add_doctor(
        verbs.add_parser(
            "doctor", help="look for what is wrong with a download", formatter_class=style
        )
    )
    add_preview(verbs.add_parser("preview", help="draw some samples of a shard set"))
    add_stats(verbs.add_parser("stats", help="count what shard sets hold and what they share"))
    return parser


def _add_synthetic(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=_positive, required=True, help="pictures, or clips")
    parser.add_argument(
        "--size",
        type=_positive,
        nargs=2,
        required=True,
        metavar=("H", "W"),
        help="height and width of the pictures in pixels",
    )
    parser.add_argument(
        "--frames-per-clip",
        type=_positive,
        metavar="L",
        help="make clips of so many frames instead of pictures",
    )
    parser.add_argument(
        "--world",
        choices=["everyday", "yard", "walk"],
        default="everyday",
        help="rooms and streets, yards with a few solids, or walks in them (default: everyday)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the set (default: 0)")
    parser.add_argument(
        "--split", choices=["train", "val", "test"], default="train", help="default: train"
    )
    _add_work(parser)
    _add_output(parser, name="synthetic")
    parser.set_defaults(run=_build_synthetic)


def _add_download(parser: argparse.ArgumentParser, *, name: str) -> None:
    from ppvd.cli.source_options import add_options
    from ppvd.data.sources import download

    add_options(parser, download(name))
    _add_work(parser)
    parser.add_argument(
        "--max-left-out",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of the samples that may be unfit before the build fails (default: 0.01)",
    )
    _add_output(parser, name=name)
    parser.set_defaults(run=_build_download, source=name)


def _add_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers", type=_positive, default=1, help="processes that make samples (default: 1)"
    )
    parser.add_argument(
        "--samples-per-shard",
        type=_positive,
        help="default: about 256 MB a shard, and 16 shards or more of 32 samples or more",
    )


def _add_middlebury(parser: argparse.ArgumentParser) -> None:
    _add_output(parser, name="middlebury")
    parser.set_defaults(run=_build_middlebury)


def _add_output(parser: argparse.ArgumentParser, *, name: str) -> None:
    parser.add_argument(
        "--out",
        dest="folder",
        metavar="OUT",
        required=True,
        help="folder of the set, or its URL in an object store (s3://bucket/name, gs, az)",
    )
    parser.add_argument("--name", default=name, help=f"prefix of the tar files (default: {name})")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, at least 1, got {text}")
    return int(text)


def _build_synthetic(options: argparse.Namespace) -> int:
    from ppvd.data.sources.rendered import RenderedScenes

    source = RenderedScenes(
        count=options.count,
        size=tuple(options.size),
        frames_per_clip=options.frames_per_clip,
        world=options.world,
        seed=options.seed,
        split=options.split,
    )
    return _build(source, options)


def _build_middlebury(options: argparse.Namespace) -> int:
    from ppvd.data.sources.middlebury import Motorcycle

    options.split, options.workers, options.samples_per_shard = "test", 1, None
    return _build(Motorcycle(), options)


def _build_download(options: argparse.Namespace) -> int:
    from ppvd.cli.source_options import build_source
    from ppvd.data.sources import download

    return _build(
        build_source(download(options.source), options),
        options,
        max_left_out=options.max_left_out,
    )


def _build(
    source: "SampleSource", options: argparse.Namespace, *, max_left_out: float = 0.01
) -> int:
    from ppvd.data.build import build_shards

    with tqdm(total=len(source), unit="sample", desc=f"{options.folder}", disable=None) as bar:
        manifest = build_shards(
            source,
            options.folder,
            name=options.name,
            split=options.split,
            samples_per_shard=options.samples_per_shard,
            num_workers=options.workers,
            max_left_out=max_left_out,
            advance=bar.update,
        )
    print(f"{options.folder}: {_summary(manifest)}")
    for item in manifest.left_out[:MAX_LISTED]:
        print(f"left out {item.key}: {item.reason}")
    if len(manifest.left_out) > MAX_LISTED:
        print(f"left out {len(manifest.left_out)} in all: the manifest lists them")
    return 0


def _check(options: argparse.Namespace) -> int:
    from ppvd.data.check import check_shards
    from ppvd.data.manifest import Manifest

    manifest = Manifest.load(options.folder)
    num_faults = 0
    with tqdm(total=manifest.num_samples, unit="sample", desc="check", disable=None) as bar:
        for fault in check_shards(options.folder, root=options.root, advance=bar.update):
            bar.write(fault, file=sys.stdout)
            num_faults += 1
    print(f"{options.folder}: {_summary(manifest)}: {counted(num_faults, 'fault', none='no')}")
    return min(num_faults, 1)


def _summary(manifest: "Manifest") -> str:
    return (
        f"{counted(manifest.num_samples, 'sample')} in {counted(len(manifest.shards), 'shard')},"
        f" {manifest.num_bytes / 1e6:.1f} MB"
    )
