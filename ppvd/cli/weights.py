"""``ppvd weights``: published files become files of ours, and tell what they are."""

import argparse
from collections.abc import Callable
from pathlib import Path

from ppvd.cli.parser import VerbParser

DESCRIPTION = """\
Published weights under our names.

A published file serves as it is, too; an imported one loads faster, runs no pickle, and carries
its source, checksum and licence.
"""
EXAMPLES = """\
examples:
  ppvd weights list
  ppvd weights import ppd_moge.pth --as ppd-moge2 --out ppd-moge2.safetensors
  ppvd weights info ppd-moge2.safetensors
  ppvd weights verify ppd-moge2.safetensors
  ppvd weights export lightning_logs/ppd/version_0 --out mine.safetensors
"""
STEPS = 4  # of an import


def main(words: list[str]) -> None:
    """Run ``ppvd weights`` with the words after it.

    Raises:
        UsageError: If the words cannot be understood.
        ValueError: If a file cannot be read, or is not what it is said to be.
        OSError: If a file cannot be written.
    """
    asked = _parser().parse_args(words)
    run: Callable[[argparse.Namespace], None] = asked.run
    run(asked)


def _list(_: argparse.Namespace) -> None:
    from ppvd.weights import PUBLISHED, weights_folder
    from ppvd.weights.cache import kept

    print(f"in {weights_folder()}:")
    for name, model in PUBLISHED.items():
        file = kept(name)
        where = file.name if file else f"not yet; {model.page}"
        print(f"  {name:<20} {model.kind:<8} {where}")
        print(f"  {'':<29} licence: {model.licence}")


def _import(asked: argparse.Namespace) -> None:
    from tqdm import tqdm

    from ppvd.weights import import_weights

    with tqdm(total=STEPS, desc="import", unit="step", disable=None) as bar:

        def begin(step: str) -> None:
            bar.set_description(step)
            bar.update()

        card = import_weights(asked.file, name=asked.name, out=asked.out, begin=begin)
    print(f"{asked.out}: {card.name}, licence: {card.licence}")


def _info(asked: argparse.Namespace) -> None:
    from ppvd.weights import describe_weights

    print(describe_weights(asked.file))


def _verify(asked: argparse.Namespace) -> None:
    from ppvd.weights import verify_weights

    card = verify_weights(asked.file)
    print(f"{asked.file}: {card.name}, as it was imported")


def _export(asked: argparse.Namespace) -> None:
    from ppvd.cli.checkpoint import read_checkpoint
    from ppvd.scale import export_weights

    found = read_checkpoint(asked.run_path)
    count = export_weights(found.path, asked.out)
    print(f"{asked.out}: {count:,} weights of {found.path}{found.choice}")


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = VerbParser(
        "ppvd weights", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=style
    )
    verbs = parser.add_subparsers(required=True, metavar="list|import|info|verify|export")
    listing = verbs.add_parser("list", help="names of the published models, and where they are")
    listing.set_defaults(run=_list)
    taking = verbs.add_parser("import", help="convert a published file once, strictly")
    taking.add_argument("file", type=Path, metavar="FILE", help="published file")
    taking.add_argument("--as", dest="name", required=True, metavar="NAME", help="what it is")
    taking.add_argument(
        "--out", type=Path, required=True, metavar="OUT.safetensors", help="file to write"
    )
    taking.set_defaults(run=_import)
    telling = verbs.add_parser("info", help="what a file is, without building it")
    telling.add_argument("file", type=Path, metavar="FILE")
    telling.set_defaults(run=_info)
    checking = verbs.add_parser("verify", help="read an imported file whole and rebuild its module")
    checking.add_argument("file", type=Path, metavar="FILE")
    checking.set_defaults(run=_verify)
    exporting = verbs.add_parser("export", help="one file of the weights that a run has trained")
    exporting.add_argument("run_path", type=Path, metavar="RUN", help="a run, or a checkpoint")
    exporting.add_argument(
        "--out", type=Path, required=True, metavar="OUT.safetensors", help="file to write"
    )
    exporting.set_defaults(run=_export)
    return parser
