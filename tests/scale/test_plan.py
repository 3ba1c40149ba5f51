"""What is planned is what is measured."""

import functools

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from ppvd.nn import CascadeDiT
from ppvd.scale.live_bytes import LiveBytes
from ppvd.scale.plan import Setting, plan_step
from ppvd.semantics import ViT, ViTEncoder
from ppvd.tasks import PPD

SIZE = 64, 96


def build(**net):
    settings = {"width": 128, "depth": 4, "num_heads": 2, "patch": 4, **net}
    encoder = ViTEncoder(ViT(width=64, depth=2, num_heads=2, patch=8, grid=4))
    return PPD(encoder, functools.partial(CascadeDiT, **settings))


def planned(batch_size=2, mixed=False, **net):
    with torch.device("meta"):
        task = build(**net)
    return plan_step(task, Setting(batch_size=batch_size, size=SIZE, mixed=mixed))


def measured(batch_size=2, mixed=False, **net):
    """Return the peak of what the allocator gave out in a real step."""
    torch.manual_seed(0)
    task = build(**net)
    task.log = task.log_dict = lambda *_, **__: None
    shape = (batch_size, 1, *SIZE)
    batch = {
        "image": torch.rand(batch_size, 3, *SIZE),
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
    [{}, {"batch_size": 4}, {"mixed": True}, {"checkpoint_blocks": 3, "batch_size": 4}],
    ids=str,
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
