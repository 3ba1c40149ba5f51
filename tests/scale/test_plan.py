"""What is planned is what is measured."""

import functools

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from ppvd.losses import GradientMatching, TemporalGradient, VelocityError
from ppvd.nn import CascadeDiT, Propagation
from ppvd.scale.live_bytes import LiveBytes
from ppvd.scale.plan import Setting, plan_step
from ppvd.semantics import ViT, ViTEncoder
from ppvd.tasks import PPD, PPVD

SIZE = 64, 96
VIDEO = {
    "kind": PPVD,
    "frames": 4,
    "batch_size": 1,
    "losses": {"gradient": GradientMatching, "temporal": TemporalGradient},
    "propagation": Propagation(references=(0, 1), pool=2),
}


def build(encoder=64, kind=PPD, losses=None, **net):
    settings = {"width": 128, "depth": 4, "num_heads": 2, "patch": 4, **net}
    encoder = ViTEncoder(ViT(width=encoder, depth=2, num_heads=2, patch=8, grid=4))
    losses = {
        "velocity": VelocityError(),
        **{name: loss() for name, loss in (losses or {}).items()},
    }
    return kind(encoder, functools.partial(CascadeDiT, **settings), losses=losses)


def planned(batch_size=2, mixed=False, frames=None, **model):
    with torch.device("meta"):
        task = build(**model)
    setting = Setting(batch_size=batch_size, size=SIZE, mixed=mixed, num_frames=frames)
    return plan_step(task, setting)


def measured(batch_size=2, mixed=False, frames=None, **model):
    """Return the peak of what the allocator gave out in a real step."""
    torch.manual_seed(0)
    task = build(**model)
    task.log = task.log_dict = lambda *_, **__: None
    many = (batch_size,) if frames is None else (batch_size, frames)
    shape = (*many, 1, *SIZE)
    batch = {
        "image": torch.rand(*many, 3, *SIZE),
        "depth": 1 + torch.rand(shape),
        "valid": torch.ones(shape, dtype=torch.bool),
        "sky": torch.zeros(shape, dtype=torch.bool),
        "key": ["a"] * batch_size,
    }
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = task.training_step(batch, 0)
        loss.backward()
    live, peak = 0, 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            live += event.nbytes()
            peak = max(peak, live)
    return peak


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch_size": 4},
        {"mixed": True},
        {"checkpoint_blocks": 3, "batch_size": 4},
        {"checkpoint_blocks": 4, "mixed": True, "batch_size": 4},
        {"encoder": 512, "batch_size": 1, "losses": {"gradient": GradientMatching}},
        VIDEO,
        {**VIDEO, "mixed": True, "checkpoint_blocks": 2},
    ],
    ids=range(8),
)
def test_the_peak_is_the_measured_one(settings):
    plan = planned(**settings)
    peak = plan.parts["activations"] + plan.parts["gradients"]
    assert peak == pytest.approx(measured(**settings), rel=0.1)


def test_weights_and_operations_are_counted():
    plan, task = planned(), build()
    assert plan.num_trained == sum(p.numel() for p in task.parameters())
    assert plan.num_frozen == sum(p.numel() for p in task.encoder.encoder.parameters())
    assert plan.parts["weights"] == plan.parts["gradients"] == 4 * plan.num_trained
    assert plan.parts["optimiser"] == pytest.approx(8 * plan.num_trained, rel=1e-2)
    assert planned(batch_size=4).flops == pytest.approx(2 * plan.flops, rel=0.1)


def test_recomputing_takes_less_memory_and_more_operations():
    plan, other = planned(batch_size=4), planned(batch_size=4, checkpoint_blocks=4)
    assert other.parts["activations"] < 0.7 * plan.parts["activations"]
    assert other.flops > 1.2 * plan.flops


def test_what_is_shared_is_divided():
    with torch.device("meta"):
        task = build()
    setting = Setting(batch_size=2, size=SIZE, num_shares=4, has_average=True)
    shared, alone = plan_step(task, setting), planned()
    for part in ("weights", "gradients", "optimiser"):
        assert shared.parts[part] == pytest.approx(alone.parts[part] / 4, rel=1e-3)
    assert shared.parts["average"] == shared.parts["weights"]
    assert shared.parts["encoder"] == alone.parts["encoder"]


def test_live_bytes_are_forgotten_with_the_tensor():
    known = torch.zeros(100)
    with LiveBytes([known]) as memory:
        first = known + 1
        view = first[:10]
        assert memory.live == 400
        del first
        assert memory.live == 400
        del view
        second = known * 2
        assert (memory.live, memory.peak) == (400, 400)
        known.add_(second)
    assert memory.peak == 400
