"""The short help pages; they answer without loading torch."""

TRAINER_VERBS = {
    "fit": "train a model from a recipe",
    "validate": "score a model on the recipe's validation benchmarks",
    "test": "score a model on the recipe's test benchmarks",
    "predict": "run a model over the recipe's prediction data",
}
OWN_VERBS = {
    "depth": "depth of your own photographs and videos",
    "shards": "build, check and look at sets of data",
    "weights": "list, import and check published weights",
    "score": "score predictions of any model under a protocol",
    "rescore": "apply another protocol to the saved predictions of a test",
    "sweep": "many trainings over a space of settings",
    "runs": "which runs there are, and how they go on",
    "plan": "memory and operations of a training step, before it is begun",
    "debug": "take a bad training step again",
    "report": "results beside the paper's tables, and beside each other",
}

_EXAMPLES = {
    "fit": """\
  ppvd fit -c experiments/demo/ppd.yaml --trainer.max_steps 100
  ppvd fit --ckpt_path lightning_logs/ppd/version_0        go on with that run
  ppvd fit -c experiments/demo/ppd.yaml --ckpt_path last   begin, or go on after a crash""",
    "validate": """\
  ppvd validate --ckpt_path lightning_logs/ppd/version_0""",
    "test": """\
  ppvd test --ckpt_path lightning_logs/ppd/version_0
  ppvd test --ckpt_path lightning_logs/ppd/version_0 --model.init_args.num_steps 8""",
    "predict": """\
  ppvd predict --ckpt_path lightning_logs/ppd/version_0 --data.init_args.predict photos""",
}


def overview() -> str:
    """Return the page of ``ppvd --help``."""
    verbs = {**TRAINER_VERBS, **OWN_VERBS}
    listed = "\n".join(f"  {verb:<10}{meaning}" for verb, meaning in verbs.items())
    return f"""\
usage: ppvd VERB ...

Pixel-perfect depth from images.

{listed}

  ppvd VERB --help    options of a verb
  ppvd --version      version
"""


def trainer_verb(verb: str) -> str:
    """Return the page of ``ppvd fit|validate|test|predict --help``."""
    return f"""\
usage: ppvd {verb} [-c RECIPE.yaml]... [--ckpt_path RUN] [--KEY VALUE]...

{TRAINER_VERBS[verb].capitalize()}.

  -c RECIPE.yaml     a recipe; give several and later ones win key by key.
                     A later list replaces an earlier one; `callbacks+:` adds to it.
  --ckpt_path RUN    a checkpoint file, or a run's folder: fit goes on from its furthest
                     checkpoint, the others take its best, else its last
  --experiment NAME  folder in lightning_logs/; default: the first recipe's file name
  --KEY VALUE        any key of a recipe, such as --trainer.max_steps 100

  Command line wins over recipe, recipe over checkpoint, checkpoint over default; what
  differs from the checkpoint is printed. Without a recipe, the run's own is used.

  --print_config     show the composed configuration and stop
  --model.help PPD   describe a class and its settings
  --help-all         every key

{_EXAMPLES[verb]}
"""
