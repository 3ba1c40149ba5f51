"""LightningCLI as it should be: recipes compose, an override wins, a mistake is a sentence."""

import argparse
import pickle
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

import ppvd
from ppvd.callbacks import Stopped
from ppvd.cli.checkpoint import mismatch
from ppvd.cli.continuing import asked_checkpoint
from ppvd.cli.explain import explain, unwrapped
from ppvd.cli.given import read_words
from ppvd.cli.keep_config import KeepConfig
from ppvd.cli.layers import Layer, differences, keep_same_classes, remembered_layers, table
from ppvd.cli.mistakes import UsageError
from ppvd.cli.naming import LOG_FOLDER, LOGGER, name_loggers
from ppvd.cli.parsing import accept_presets
from ppvd.cli.provenance import provenance
from ppvd.cli.quiet import hush
from ppvd.cli.score_table import score_table
from ppvd.cli.scoring import drawn, keep_predictions, where
from ppvd.cli.settings import short_settings
from ppvd.cli.starting import always, saving, say_where
from ppvd.cli.stopping import leave_stopped
from ppvd.cli.watching import not_named, showing, watching
from ppvd.scale import keep_whole


def run(verb: str, words: list[str], *, task: type[L.LightningModule] | None = None) -> None:
    """Run ``ppvd fit|validate|test|predict``.

    Args:
        verb: One of the four.
        words: Words after the verb.
        task: Base class of the models that may be given. ``None``: ``ppvd.DepthTask``.
    """
    prepare(verb)
    if words and words[0] == "--help-all":
        words = ["--help", *words[1:]]
    PPVDCLI(verb, words, task=task or ppvd.DepthTask)


def prepare(verb: str) -> None:
    """Do what must come before a recipe is parsed."""
    hush(training=verb == "fit")
    accept_presets()
    for name in ppvd.__all__:  # Short class names resolve among imported classes.
        getattr(ppvd, name)


class PPVDCLI(LightningCLI):
    """The Lightning verbs over our tasks and data.

    Args:
        verb: ``fit``, ``validate``, ``test`` or ``predict``.
        words: Words after the verb.
        task: Base class of the models that may be given.
    """

    def __init__(self, verb: str, words: list[str], *, task: type[L.LightningModule]) -> None:
        self.verb = verb
        self.words = words
        self.given = read_words(words)
        self.checkpoint = asked_checkpoint(verb, self.given, log_folder=LOG_FOLDER)
        self.layers: list[Layer] = []
        super().__init__(
            task,
            L.LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_callback=KeepConfig,
            seed_everything_default=0,
            trainer_defaults={"logger": LOGGER, "callbacks": always(verb, words)},
            parser_kwargs={"exit_on_error": False, "allow_abbrev": False},
            auto_configure_optimizers=False,
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Keep out of reach what is settled: checkpoints are data, predictions are not kept.

        Nor is Lightning's table of scores, which cuts names: ours is printed.
        """
        settled = {"weights_only", "return_predictions", "verbose"}
        return {verb: skipped | settled for verb, skipped in LightningCLI.subcommands().items()}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add ``--experiment`` and ``--protocols``."""
        parser.add_argument(
            "--experiment",
            type=str | None,
            help=f"Folder of the runs in {LOG_FOLDER}; default: the first recipe's file name.",
        )
        parser.add_argument(
            "--protocols",
            type=dict[str, ppvd.Protocol] | None,
            default=None,
            sub_configs=True,
            help="How each data set is evaluated, by its name in data.",
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: object) -> None:  # noqa: ARG002
        """Parse what was given on top of what the checkpoint remembers."""
        self.layers = remembered_layers(self.verb, self.given, self.checkpoint)
        self._parse(parser)
        kept = [replace(p, config=keep_same_classes(p.config, self._used())) for p in self.layers]
        if kept != self.layers:
            self.layers = kept
            self._parse(parser)

    def _parse_ckpt_path(self) -> None:
        """Do not let the checkpoint overrule what was given, as LightningCLI would."""

    def before_instantiate_classes(self) -> None:
        """Name the run's folder and say what is not as the checkpoint remembers."""
        self._name_run()
        self._dump_config()
        self._announce()

    def instantiate_classes(self) -> None:
        """Build everything; what a constructor refuses is a mistake in the configuration."""
        try:
            super().instantiate_classes()
        except (ValueError, MisconfigurationException) as error:
            reason = unwrapped(error)
            if not isinstance(reason, ValueError | OSError | MisconfigurationException):
                raise reason from None
            raise UsageError(str(reason)) from error
        keep_whole(self.trainer)
        self.model.protocols = self._get(self.config_init, "protocols") or {}

    def instantiate_trainer(self, **_: object) -> L.Trainer:
        """Build the trainer with what every run has, as far as the recipe has not its own."""
        given = self._get(self.config_init, "trainer")
        own = showing(given)
        if self.verb == "fit":
            used = self._parser(self.verb).dump(self.config[self.verb], skip_default=True)
            settings = short_settings(yaml.safe_load(used), options=self.given.options)
            own += [*saving(given), *watching(given, self.model, settings)]
        named = given.callbacks or []
        return super().instantiate_trainer(callbacks=[*named, *not_named(own, named)])

    def before_fit(self) -> None:
        """Say where the run's files go, what is kept, and how it goes on after a crash."""
        rank_zero_only(say_where)(self.trainer, self.words)

    def before_test(self) -> None:
        """Say so if weights that nothing has taught are about to be used."""
        if self.checkpoint is None and (sentence := drawn(self.model)):
            rank_zero_only(print)(sentence, file=sys.stderr)

    before_validate = before_test

    def before_predict(self) -> None:
        """Let no prediction be lost."""
        self.before_test()
        keep_predictions(self.trainer)

    def after_predict(self) -> None:
        """Say where the predictions are."""
        for line in where(self.trainer):
            rank_zero_only(print)(line)

    def after_test(self) -> None:
        """Print the scores, and by which protocol they were made."""
        scores = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
        said = score_table(scores), provenance(self.model, self.trainer.log_dir)
        rank_zero_only(print)("\n\n".join(filter(None, said)))

    after_validate = after_test

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        settled = {"weights_only": True}
        if subcommand == "predict":
            settled["return_predictions"] = False
        if subcommand in ("test", "validate"):
            settled["verbose"] = False
        return {**super()._prepare_subcommand_kwargs(subcommand), **settled}

    def _run_subcommand(self, subcommand: str) -> None:
        try:
            self._run_or_explain(subcommand)
        except Stopped as stopped:
            leave_stopped(str(stopped), self._way_on())

    def _run_or_explain(self, subcommand: str) -> None:
        try:
            super()._run_subcommand(subcommand)
        except SystemExit as leaving:
            if not isinstance(leaving.__context__, KeyboardInterrupt):
                raise
            raise KeyboardInterrupt(*self._way_on()) from None
        except MisconfigurationException as error:
            raise UsageError(str(error)) from error
        except pickle.UnpicklingError as error:  # Of a checkpoint that Lightning found by itself.
            raise UsageError(
                f"ckpt_path must be a checkpoint that is plain data: {error}"
            ) from error
        except torch.OutOfMemoryError as error:
            from ppvd.cli.plan import too_large

            raise ValueError(too_large(self.words)) from error
        except (RuntimeError, KeyError) as error:
            if sentence := self._known_failure(str(error)):
                raise UsageError(sentence) from error
            raise

    # Parsing.

    def _parse(self, parser: LightningArgumentParser) -> None:
        sources = [*self.layers, *map(Layer, self.given.files, self.given.recipes)]
        with tempfile.TemporaryDirectory() as folder:
            files = [_write(Path(folder, f"{n}.yaml"), p) for n, p in enumerate(self.layers)]
            words = [f"--config={file}" for file in (*files, *self.given.files)]
            words = _fresh_protocols([*words, *self._options()], sources)
            try:
                self.config = parser.parse_args([self.verb, *words])
            except argparse.ArgumentError as error:
                sentence = explain(error, sources=sources, options=self.given.options)
                raise UsageError(sentence) from error

    def _options(self) -> list[str]:
        options = list(self.given.options)
        if self.given.experiment:
            options.append(f"--experiment={self.given.experiment}")
        ckpt_path = self.checkpoint.path if self.checkpoint else self.given.ckpt_path
        if ckpt_path:
            options.append(f"--ckpt_path={ckpt_path}")
        return options

    def _used(self) -> object:
        return yaml.safe_load(self.parser.dump(self.config, skip_link_targets=False))[self.verb]

    # What is said and where things go.

    def _name_run(self) -> None:
        config = self.config[self.verb]
        made_by = self.checkpoint.experiment if self.checkpoint else None
        recipe = self.given.stem if self.given.is_recipe or not made_by else made_by
        config.experiment = config.experiment or recipe or "unnamed"
        name_loggers(config.trainer, config.experiment)

    def _announce(self) -> None:
        if self.checkpoint is None:
            return
        lines = [f"checkpoint: {self.checkpoint.path}{self.checkpoint.choice}"]
        lines += [f"{layer.what}: as in {layer.origin}" for layer in self.layers if layer.what]
        rows = list(differences(self.checkpoint.model, self.config_dump["model"], "model"))
        if rows and self.checkpoint.model:
            lines += ["not as the checkpoint remembers:", table(rows)]
        rank_zero_only(print)("\n".join(lines))

    def _way_on(self) -> list[str]:
        run = Path(self.trainer.log_dir or ".")
        saved = self.verb == "fit" and any(run.glob("checkpoints/*.ckpt"))
        return [f"go on with: ppvd fit --ckpt_path {run}"] if saved else []

    def _known_failure(self, message: str) -> str | None:
        if self.checkpoint and message.startswith("Error(s) in loading state_dict"):
            return mismatch(self.checkpoint, self.model.state_dict())
        if self.checkpoint and "Trying to restore" in message:
            return (
                f"{self.checkpoint.path} holds weights alone, so a training cannot go on from "
                f"it; it can be tested"
            )
        return None


def _fresh_protocols(words: list[str], sources: Sequence[Layer]) -> list[str]:
    """Let protocols given later replace earlier ones whole; key by key they would mix.

    Args:
        words: One word for each of ``sources``, then the options.
        sources: Configuration files, in their order.
    """
    names = ["protocols" in source.config for source in sources]
    names += [word.partition("=")[0] == "--protocols" for word in words[len(sources) :]]
    given = [["--protocols=null"] * named for named in names]
    return [word for fresh, one in zip(given, words, strict=True) for word in (*fresh, one)]


def _write(file: Path, layer: Layer) -> Path:
    file.write_text(yaml.safe_dump(layer.config), encoding="utf-8")
    return file
