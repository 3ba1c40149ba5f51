import functools

import pytest
import torch

from ppvd.nn import CascadeDiT
from ppvd.scale import CompileBlocks
from ppvd.semantics import NoSemantics
from ppvd.tasks import PPD


@pytest.mark.filterwarnings("default")  # The compiler's own.
def test_compiled_blocks_compute_what_they_did_under_the_same_names():
    torch.manual_seed(0)
    net = functools.partial(CascadeDiT, width=16, depth=2, num_heads=2, checkpoint_blocks=1)
    task = PPD(NoSemantics(), net)
    for parameter in task.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    inputs = torch.randn(1, 1, 16, 32), torch.rand(1, 3, 16, 32), torch.rand(1)
    before, names = task.net(*inputs), list(task.state_dict())
    counted = []

    def backend(graph, _):
        counted.append(graph)
        return graph.forward

    CompileBlocks(backend=backend).setup(None, task, "fit")
    torch.testing.assert_close(task.net(*inputs), before)
    assert counted
    assert list(task.state_dict()) == names
