"""From a run, a checkpoint, a published name or file to a model that can be asked for depth."""

from dataclasses import dataclass
from pathlib import Path

from jsonargparse import ArgumentError, ArgumentParser

from ppvd.cli.checkpoint import Checkpoint, mismatch, read_checkpoint
from ppvd.cli.explain import explain, parameters, unwrapped
from ppvd.cli.layers import Config, Layer
from ppvd.cli.mistakes import UsageError, did_you_mean
from ppvd.cli.parsing import accept_presets
from ppvd.semantics import read_state_dict
from ppvd.tasks import PPD, PPVD, DepthTask
from ppvd.weights import PUBLISHED, Pretrained, read_card, read_pretrained
from ppvd.weights.files import holds_network

__all__ = ["load"]


def load(source: str | Path, *, encoder: str | Path | None = None, **changes: object) -> DepthTask:
    """Build a model with its weights, ready to predict.

    Nothing in a file is executed. A frozen encoder is not in a run's checkpoint; it reads its
    own weights from where its configuration says.

    Args:
        source: A run's folder (its best checkpoint, else its last) or a checkpoint file; or a
            published name such as ``ppd-moge2``, or a published or imported file.
        encoder: For published networks, the encoder's name or file; ``None``: the network's own.
        **changes: Settings of the model that replace the remembered ones, or the released
            code's, such as ``num_steps=8``.

    Returns:
        The model on the CPU, in evaluation mode.

    Raises:
        ValueError: If there is no such model, or it cannot be built or filled.
        OSError: If a file that the model reads is gone, or cannot be downloaded.
    """
    return find(source, encoder=encoder).build(**changes)


def find(source: str | Path, *, encoder: str | Path | None = None) -> "FoundRun | FoundNetwork":
    """Find what ``load`` would build; arguments and errors are its own."""
    if _is_published(source):
        found = read_pretrained(source, encoder=encoder)
        return FoundNetwork(found, PPVD if found.kind == "video" else PPD)
    if encoder is not None:
        raise UsageError(f"encoder must be left out: {source} is a run, which names its own")
    checkpoint = read_checkpoint(source)
    if not checkpoint.model:
        raise UsageError(f"{checkpoint.path} must remember its model, as checkpoints of `fit` do")
    return FoundRun(checkpoint)


@dataclass(frozen=True)
class FoundRun:
    """A checkpoint of a run.

    Attributes:
        checkpoint: As it was read.
    """

    checkpoint: Checkpoint

    @property
    def class_path(self) -> str:
        """Class of the model."""
        return str(self.checkpoint.model["class_path"])

    @property
    def description(self) -> str:
        """Which file, and why this one."""
        return f"{self.checkpoint.path}{self.checkpoint.choice}"

    def build(self, **changes: object) -> DepthTask:
        """Build the model as it was trained, but for ``changes``."""
        task = _build(self.checkpoint, changes)
        task.on_load_checkpoint(dict(self.checkpoint.content))
        try:
            task.load_state_dict(self.checkpoint.content["state_dict"])
        except RuntimeError as error:
            raise UsageError(mismatch(self.checkpoint, task.state_dict())) from error
        return task.eval()


@dataclass(frozen=True)
class FoundNetwork:
    """A published network.

    Attributes:
        found: The network and its encoder.
        task: Class of the model around them.
    """

    found: Pretrained
    task: type[PPD] | type[PPVD]

    @property
    def class_path(self) -> str:
        """Class of the model."""
        return f"ppvd.{self.task.__name__}"

    @property
    def description(self) -> str:
        """Which file."""
        return str(self.found.path)

    def build(self, **changes: object) -> DepthTask:
        """Build the model as the released code runs it, but for ``changes``."""
        known = parameters(self.class_path)
        for name in changes:
            if name not in known:
                nearest = did_you_mean(name, known)
                raise UsageError(f"{self.class_path} has no setting {name}{nearest}")
        return self.task.from_parts(self.found, **changes)


def _is_published(source: str | Path) -> bool:
    """Tell published names and files from runs."""
    if source in PUBLISHED:
        return True
    path = Path(source)
    if not path.exists() and (nearest := did_you_mean(str(source), PUBLISHED)):
        raise UsageError(f"model must be a run, a file or a published name, got {source}{nearest}")
    if not path.is_file():
        return False
    return read_card(path) is not None or holds_network(read_state_dict(path))


def _build(checkpoint: Checkpoint, changes: dict[str, object]) -> DepthTask:
    init_args = {**_found_again(checkpoint.model["init_args"], checkpoint.path), **changes}
    config: Config = {"model": {**checkpoint.model, "init_args": init_args}}
    accept_presets()
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(DepthTask, "model")
    try:
        task: DepthTask = parser.instantiate_classes(parser.parse_object(config)).model
    except ArgumentError as error:
        sources = [Layer(f"{checkpoint.model['class_path']} of {checkpoint.path}", config)]
        raise UsageError(explain(error, sources=sources, options=())) from error
    except ValueError as error:
        raise unwrapped(error) from error
    return task


def _found_again(init_args: Config, file: Path) -> Config:
    """Return the settings with files of weights named from where the run was made.

    They may be named from there; read elsewhere, they are looked for beside the run, in any
    folder above the checkpoint ``file``.
    """
    return {
        name: _found_again(value, file)
        if isinstance(value, dict)
        else _beside(value, file)
        if name == "weights" and isinstance(value, str | Path)
        else value
        for name, value in init_args.items()
    }


def _beside(weights: str | Path, file: Path) -> str | Path:
    if Path(weights).exists():
        return weights
    places = (folder / weights for folder in file.absolute().parents)
    return next((str(place) for place in places if place.is_file()), weights)
