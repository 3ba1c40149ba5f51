"""``ppvd plan``: what a training will take, before it is begun."""

import argparse
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch

from ppvd.cli.lightning import PPVDCLI, prepare
from ppvd.cli.mistakes import UsageError
from ppvd.cli.parser import VerbParser
from ppvd.scale.plan import REMEDIES, Plan, Setting, plan_step
from ppvd.tasks import DepthTask

if TYPE_CHECKING:
    import lightning as L

GIB = 2**30
RESERVE = 0.1
"""Share of a device's memory that fragments and the driver take (ours)."""


def main(words: list[str]) -> None:
    """Run ``ppvd plan`` with the words after it.

    Raises:
        UsageError: If the words, or the recipe, cannot be understood.
    """
    asked, rest = _parser().parse_known_args(words)
    if asked.verb != "fit":
        raise UsageError(f"plan must be of fit, got {asked.verb}")
    composed = compose(rest)
    plan = composed.plan()
    print("\n".join(page(plan, composed.setting)))
    if asked.memory:
        print(f"  {_fit(composed, plan, asked.memory)}")


class Composed(PPVDCLI):
    """A recipe that is built on the meta device and not run.

    Attributes:
        setting: How it takes a step.
    """

    setting: Setting

    def instantiate_classes(self) -> None:
        """Build the model and the data; read no weights."""
        with torch.device("meta"):
            super().instantiate_classes()
        self.setting = _setting(self.config[self.verb], self.datamodule)

    def instantiate_trainer(self, **_: object) -> "L.Trainer":
        """Build none: the devices may not be here."""
        standing_in: Any = SimpleNamespace(strategy=SimpleNamespace(checkpoint_io=None))
        return standing_in  # type: ignore[no-any-return]

    def _run_subcommand(self, subcommand: str) -> None:
        """Run nothing."""

    def plan(self, *, batch_size: int | None = None) -> Plan:
        """Plan a step of the recipe, or one of another number of samples."""
        setting = replace(self.setting, batch_size=batch_size or self.setting.batch_size)
        with torch.device("meta"):
            task = self.parser.instantiate_classes(self.config)[self.verb].model
        assert isinstance(task, DepthTask)
        return plan_step(task, setting)


def compose(words: list[str]) -> Composed:
    """Compose the recipe of ``ppvd fit`` with these words after it."""
    prepare("fit")
    return Composed("fit", words, task=DepthTask)


def too_large(words: list[str]) -> str:
    """Say what takes the memory that a training with these words has run out of."""
    plan = compose(words).plan()
    largest = plan.parts[plan.largest] / GIB
    return (
        f"the device's memory is full; of {plan.peak / GIB:.1f} GiB planned, {plan.largest} take "
        f"{largest:.1f}; take {REMEDIES[plan.largest]}; see: ppvd plan fit"
    )


def page(plan: Plan, setting: Setting) -> list[str]:
    """Return the plan as lines."""
    frames = "" if setting.num_frames is None else f"{setting.num_frames} frames of "
    lines = [
        f"one step of {setting.batch_size} samples of {frames}{setting.size[0]} x "
        f"{setting.size[1]} on one device:",
        f"  trained weights {plan.num_trained / 1e6:10.1f} M",
        f"  frozen weights  {plan.num_frozen / 1e6:10.1f} M",
        f"  operations      {plan.flops / 1e12:10.2f} TFLOP",
        f"  memory          {plan.peak / GIB:10.2f} GiB",
    ]
    parts = sorted(plan.parts.items(), key=lambda part: -part[1])
    lines += [f"    {name:<13} {size / GIB:10.2f} GiB" for name, size in parts if size]
    return [*lines, f"  for less {plan.largest}: {REMEDIES[plan.largest]}"]


def _fit(composed: Composed, plan: Plan, memory_gib: float) -> str:
    """Say how many samples a device holds: the activations grow with them, the rest does not."""
    size = composed.setting.batch_size
    per_sample = composed.plan(batch_size=size + 1).peak - plan.peak
    room = (1 - RESERVE) * memory_gib * GIB
    count = int(size + (room - plan.peak) // max(per_sample, 1))
    if count < 1:
        return f"does not fit into {memory_gib:g} GiB"
    return f"up to {count} samples fit into {memory_gib:g} GiB, a tenth of it left free"


def _setting(config: Any, data: Any) -> Setting:  # noqa: ANN401
    """Read from a composed recipe how it takes a step."""
    trainer = config.trainer
    callbacks = [c.class_path for c in trainer.callbacks or []]
    shares = str(getattr(trainer.strategy, "class_path", trainer.strategy))
    return Setting(
        batch_size=data.batch_size,
        size=data.size,
        num_frames=None if data.clips is None else data.clips.length,
        mixed=str(trainer.precision).endswith("mixed"),
        num_shares=_num_devices(trainer) if re.search(r"fsdp|ModelParallel", shares, re.I) else 1,
        has_average=any(path.endswith(".EMA") for path in callbacks),
    )


def _num_devices(trainer: Any) -> int:  # noqa: ANN401
    devices = str(trainer.devices)
    return (int(devices) if devices.isdigit() else 1) * int(trainer.num_nodes)


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser(
        "ppvd plan",
        allow_abbrev=False,
        description="Count weights, operations and memory of a training step in seconds.",
        epilog="example: ppvd plan fit -c experiments/ppd_pretrain_512.yaml --memory 80",
    )
    parser.add_argument("verb", metavar="fit", help="then the words of ppvd fit")
    parser.add_argument("--memory", type=float, metavar="GIB", help="of a device: what fits in it?")
    return parser
