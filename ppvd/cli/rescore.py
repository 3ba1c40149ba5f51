"""``ppvd rescore``: another protocol for the predictions of a test, without the network."""

import argparse
import tempfile
from pathlib import Path

import yaml

from ppvd.cli.mistakes import UsageError
from ppvd.cli.parser import VerbParser

DESCRIPTION = """\
Apply another protocol to the predictions that a test has saved: the network does not run again.

The test must have had the callback ppvd.SavePredictions. A protocol that looks at a larger part of
the pictures than the network has seen is refused.
"""
EXAMPLES = """\
example:
  ppvd test -c benchmarks/mono_zeroshot.yaml --ckpt_path lightning_logs/ppd/version_0 \\
      --trainer.callbacks+=ppvd.SavePredictions
  ppvd rescore lightning_logs/mono_zeroshot/version_0 \\
      --protocols benchmarks/protocols/marigold.yaml
"""


def main(words: list[str]) -> None:
    """Run ``ppvd rescore`` with the words after it.

    Raises:
        UsageError: If there is no such run, or it has no predictions.
        ValueError: If the protocol needs what the network has not seen.
    """
    asked, others = _parser().parse_known_args(words)
    run_folder = asked.run.parent if asked.run.is_file() else asked.run
    config, predictions = run_folder / "config.yaml", run_folder / "predictions"
    if not config.is_file() or not predictions.is_dir():
        raise UsageError(
            f"{run_folder} must hold config.yaml and predictions; test again with "
            f"--trainer.callbacks+=ppvd.SavePredictions"
        )
    saved = yaml.safe_load(config.read_text(encoding="utf-8"))
    from ppvd.cli.lightning import run

    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder) / f"{saved['experiment']}_rescored.yaml"
        recipe.write_text(yaml.safe_dump(_recipe(saved["data"], predictions)), encoding="utf-8")
        run("test", ["-c", str(recipe), "--protocols", str(asked.protocols), *others])


def _recipe(data: object, predictions: Path) -> dict[str, object]:
    files = {"class_path": "ppvd.OwnFiles", "init_args": {"folder": str(predictions.absolute())}}
    return {
        "model": {"class_path": "ppvd.SavedDepth", "init_args": {"files": files}},
        "data": data,
        "trainer": {"callbacks": ["ppvd.ResultsWriter", "ppvd.WorstCases"]},
    }


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser(
        "ppvd rescore",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="folder of the test, or its results.json")
    add("--protocols", type=Path, required=True, metavar="YAML", help="the other protocols")
    return parser
