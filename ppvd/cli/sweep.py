"""``ppvd sweep``: many trainings over a space of settings."""

import argparse
import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ppvd.cli.given import read_words
from ppvd.cli.mistakes import UsageError
from ppvd.cli.parser import VerbParser

if TYPE_CHECKING:
    from ppvd.sweep.space import Sweep

LOG_FOLDER = "lightning_logs"
KEPT = "sweep.yaml"
LOOKS = ("status", "best", "report")
DESCRIPTION = """\
Train many times over a space of settings, which the recipe with `sweep:` describes.

Each trial is a plain `ppvd fit` in lightning_logs/sweeps/NAME/trial_N. Start the same command
again, also on several machines at once: workers share the trials, and go on with those of a worker
that was killed.
"""
EXAMPLES = """\
examples:
  ppvd sweep -c experiments/demo/ppd.yaml -c experiments/sweeps/lr.yaml --dry_run
  ppvd sweep -c experiments/demo/ppd.yaml -c experiments/sweeps/lr.yaml --jobs 2
  ppvd sweep -c RECIPE.yaml -c experiments/sweeps/lr.yaml --slurm 8 --sbatch="--gpus=1 --time=8:0:0"
  ppvd sweep status lr          ppvd sweep best lr          ppvd sweep report lr
"""


def main(words: list[str]) -> None:
    """Run ``ppvd sweep`` with the words after it.

    Raises:
        UsageError: If the words cannot be understood, or Optuna is not installed.
        ValueError: If there is no such sweep.
    """
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise UsageError("sweeps need Optuna: pip install 'ppvd[sweep]'") from error
    if words and words[0] in LOOKS:
        _look(words[0], _look_parser(words[0]).parse_args(words[1:]).name)
        return
    asked, common = _parser().parse_known_args(words)
    sweep, recipes = _read(asked.config)
    common = [*_options(recipes), *common]
    if asked.dry_run:
        _print_commands(sweep, common)
    elif asked.slurm is not None:
        _submit(sweep, common, asked, words)
    else:
        _work(sweep, common, asked)


def _read(files: list[str]) -> "tuple[Sweep, list[str]]":
    """Return the sweep, and the recipes that every trial is given."""
    from ppvd.sweep.space import read_sweep

    found, recipes = [], []
    for file, recipe in zip(files, read_words(_options(files)).recipes, strict=True):
        if "sweep" in recipe:
            found.append(recipe["sweep"])
            if recipe.keys() != {"sweep"}:
                raise UsageError(f"{file} must hold the sweep alone, got {sorted(recipe)}")
        else:
            recipes.append(file)
    if len(found) != 1:
        raise UsageError(f"one recipe must have a `sweep:`, got {len(found)} of {len(files)}")
    return read_sweep(found[0]), recipes


def _options(files: list[str]) -> list[str]:
    return [part for file in files for part in ("-c", file)]


def _print_commands(sweep: "Sweep", common: list[str]) -> None:
    """Print what would be run, as far as it is known before there are results."""
    import optuna

    from ppvd.sweep.trials import TrialCommand

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    for combination in sweep.combinations:
        study.enqueue_trial(combination)
    command = TrialCommand(common, sweep.name)
    for number in range(sweep.num_planned):
        study.sampler = sweep.build_sampler(number)
        trial = study.ask(sweep.distributions)
        print(f"ppvd {shlex.join(command(trial.number, trial.params))}")


def _work(sweep: "Sweep", common: list[str], asked: argparse.Namespace) -> None:
    from ppvd.sweep.study import SharedStudy
    from ppvd.sweep.trials import TrialCommand
    from ppvd.sweep.worker import Worker

    devices = asked.gpus.split(",") if asked.gpus else None
    worker = Worker(
        SharedStudy(sweep, _keep(sweep, common)),
        TrialCommand(common, sweep.name),
        root=Path(LOG_FOLDER),
        num_jobs=len(devices) if devices else asked.jobs,
        devices=devices,
        say=lambda sentence: print(sentence, flush=True),
    )
    signal.signal(signal.SIGUSR1, worker.stop)
    if worker.work():
        _look("best", sweep.name)
        return
    from ppvd.cli.stopping import leave_stopped

    leave_stopped(f"sweep {sweep.name}: stopped", ["start it again by the same words"])


def _submit(sweep: "Sweep", common: list[str], asked: argparse.Namespace, words: list[str]) -> None:
    """Submit workers, which are given the same words but those that are for Slurm."""
    from ppvd.sweep.job_array import submit, write_job_script

    own, rest = argparse.ArgumentParser(add_help=False, allow_abbrev=False), words
    _add_slurm(own)
    _, rest = own.parse_known_args(words)
    script = write_job_script(
        _keep(sweep, common),
        name=sweep.name,
        num_workers=asked.slurm,
        words=rest,
        options=asked.sbatch,
    )
    print(f"job {submit(script)}: {asked.slurm} workers by {script}")
    print(f"what runs: ppvd sweep status {sweep.name}")


def _keep(sweep: "Sweep", common: list[str]) -> Path:
    """Write down what is looked for; return the sweep's folder."""
    from ppvd.whole import write_whole

    folder = Path(LOG_FOLDER) / "sweeps" / sweep.name
    kept = {"sweep": {**vars(sweep), "space": dict(sweep.space)}, "words": common}
    write_whole(folder / KEPT, yaml.safe_dump(kept, sort_keys=False).encode())
    return folder


def _look(what: str, name: str) -> None:
    from ppvd.sweep.report import best_lines, report_lines, status_lines
    from ppvd.sweep.space import read_sweep
    from ppvd.sweep.study import open_study
    from ppvd.sweep.trials import TrialCommand

    folder = Path(LOG_FOLDER) / "sweeps" / name
    if not (folder / KEPT).is_file():
        raise ValueError(f"{folder} must hold a sweep, but there is none")
    kept = yaml.safe_load((folder / KEPT).read_text(encoding="utf-8"))
    sweep = read_sweep(kept["sweep"])
    trials = open_study(folder, sweep).get_trials()
    if what == "status":
        lines = status_lines(sweep, trials)
    elif what == "report":
        lines = report_lines(sweep, trials)
    else:
        lines = best_lines(sweep, trials, TrialCommand(kept["words"], name), Path(LOG_FOLDER))
    print("\n".join(lines))


def _look_parser(what: str) -> argparse.ArgumentParser:
    parser = VerbParser(f"ppvd sweep {what}", description=f"The {what} of a sweep.")
    parser.add_argument("name", metavar="NAME", help="of the sweep")
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser(
        "ppvd sweep",
        allow_abbrev=False,
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-c", "--config", action="append", required=True, metavar="RECIPE.yaml")
    add("--jobs", type=int, default=1, metavar="N", help="trials at a time (1)")
    add("--gpus", metavar="0,1,...", help="a trial at a time on each of these GPUs")
    add("--dry_run", action="store_true", help="print the commands and stop")
    _add_slurm(parser)
    return parser


def _add_slurm(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--slurm", type=int, metavar="N", help="submit N such workers as an array of jobs")
    add(
        "--sbatch",
        default="",
        metavar="OPTIONS",
        help='of sbatch: --sbatch="--gpus=1 --time=8:0:0"',
    )
