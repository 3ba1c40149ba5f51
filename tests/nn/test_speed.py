"""Speed by what is counted: operations, host synchronisations, graph breaks."""

from collections import Counter

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ppvd.flow import adams_bashforth2, euler, heun, uniform_grid
from ppvd.nn import Propagation

# `index` is here for boolean masks, whose number of hits the host would have to know.
SYNCS = ("_local_scalar_dense", "nonzero", "masked_select", "index", "equal")
VIEWS = (
    "view", "_unsafe_view", "t", "transpose", "permute", "unbind", "slice", "select", "expand",
    "unsqueeze", "split", "detach", "alias", "as_strided",
)  # fmt: skip


IMAGE = ({}, None)
CLIP = ({"propagation": Propagation(), "temporal_blocks": 1}, 4)
BOTH = pytest.mark.parametrize(("options", "frames"), [IMAGE, CLIP], ids=["image", "clip"])


class CountOps(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.ops = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.ops[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))

    def syncs(self):
        return [name for name in self.ops if name in SYNCS]

    def without_views(self):
        return sum(count for name, count in self.ops.items() if name not in VIEWS)


def test_the_count_sees_synchronisations():
    with CountOps() as count:
        torch.ones(3).sum().item()
        torch.ones(3)[torch.ones(3) > 0]
    assert set(count.syncs()) == {"_local_scalar_dense", "index"}


@BOTH
@pytest.mark.parametrize("prediction", ["velocity", "clean"])
def test_training_never_waits_for_the_device(prediction, options, frames, make_net, make_inputs):
    net = make_net(prediction=prediction, **options)
    inputs = make_inputs(net, frames=frames)
    with CountOps() as count:
        net(**inputs).sum().backward()
    assert count.ops["mm"] > 0
    assert count.syncs() == []


@BOTH
@pytest.mark.parametrize("solver", [euler, heun, adams_bashforth2])
def test_sampling_never_waits_for_the_device(solver, options, frames, make_net, make_inputs):
    net, times = make_net(prediction="clean", **options), uniform_grid(3)
    inputs = make_inputs(net, frames=frames)
    with torch.no_grad(), CountOps() as count:
        field = net.velocity_field(inputs["image"], inputs["features"], times)
        solver(field, inputs["noisy"], times)
    assert count.ops["addmm"] > 0
    assert count.syncs() == []


def test_what_hangs_on_the_image_alone_is_computed_once_an_image(make_net, make_inputs):
    net, times, calls = make_net(), uniform_grid(4), Counter()
    inputs = make_inputs(net)
    layers = {
        "image": net.embed.image,
        "features": net.fusion.features,
        "time": net.modulator.out,
        "noisy": net.embed.noisy,
        "fusion": net.fusion.tokens,
    }
    for name, layer in layers.items():
        layer.register_forward_hook(lambda *_, name=name: calls.update([name]))
    euler(net.velocity_field(inputs["image"], inputs["features"], times), inputs["noisy"], times)
    assert calls == {"image": 1, "features": 1, "time": 1, "noisy": 4, "fusion": 4}


def test_operations_of_one_step_grow_with_depth_by_no_more_than_measured(make_net, make_inputs):
    counts = {}
    for depth in (2, 4):
        net = make_net(depth=depth)
        inputs = make_inputs(net)
        condition = net.condition(inputs["image"], inputs["features"])
        modulation = net.modulation(torch.ones(1))[0]
        with torch.no_grad(), CountOps() as count:
            net.denoise(inputs["noisy"], condition, modulation, 1.0)
        counts[depth] = count.without_views()
    assert (counts[4] - counts[2]) / 2 <= OPS_PER_BLOCK
    assert counts[2] - 2 * OPS_PER_BLOCK <= 14


OPS_PER_BLOCK = 18


@pytest.fixture
def compiler():
    """Forget earlier graphs: a second shape of a known function would be traced symbolically."""
    torch.compiler.reset()


@BOTH
@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_compiles_into_one_graph(precision, options, frames, make_net, make_inputs):
    net = make_net(prediction="clean", **options)
    inputs = make_inputs(net, frames=frames)
    compiled = torch.compile(net, fullgraph=True, backend="eager")
    with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
        torch.testing.assert_close(compiled(**inputs), net(**inputs), rtol=1e-5, atol=1e-5)


@BOTH
@pytest.mark.usefixtures("compiler")
def test_a_solver_step_compiles_into_one_graph(options, frames, make_net, make_inputs):
    net = make_net(**options)
    inputs = make_inputs(net, frames=frames)
    with torch.no_grad():
        condition = net.condition(inputs["image"], inputs["features"])
        modulation = net.modulation(inputs["time"])
        arguments = inputs["noisy"], condition, modulation, inputs["time"]
        compiled = torch.compile(net.denoise, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(*arguments), net.denoise(*arguments))
