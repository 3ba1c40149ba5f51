import pytest
import torch

from ppvd.nn import CascadeDiT


@pytest.fixture
def make_net():
    """A toy network whose weights are all random, so that nothing is switched off."""

    def make(semantic_width=5, *, seed=0, **options):
        torch.manual_seed(seed)
        options = {"width": 16, "depth": 2, "num_heads": 2, "patch": 2, **options}
        net = CascadeDiT(semantic_width, **options)
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        return net

    return make


@pytest.fixture
def make_inputs():
    """Noisy depth, image, time and features for a network, on a grid that is not square;
    clips where a number of frames is given."""

    def make(net, batch=2, rows=2, cols=3, features=True, frames=None):
        generator = torch.Generator().manual_seed(1)
        size = (rows * net.divisor, cols * net.divisor)
        each = (batch,) if frames is None else (batch, frames)
        inputs = {
            "noisy": torch.randn(*each, 1, *size, generator=generator),
            "image": torch.rand(*each, 3, *size, generator=generator),
            "time": torch.rand(batch, generator=generator),
        }
        if net.semantic_width and features:
            shape = (*each, net.semantic_width, rows, cols)
            inputs["features"] = torch.randn(shape, generator=generator)
        return inputs

    return make
