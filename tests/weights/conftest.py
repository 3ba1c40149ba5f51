from pathlib import Path

import pytest
from safetensors.torch import load_file

from ppvd.weights import image_dit

GOLDEN = Path(__file__).parents[1] / "golden" / "released"


@pytest.fixture
def golden():
    """Read a reference file in float32; its weights were rounded to bfloat16 before the run."""

    def read(name):
        tensors = load_file(GOLDEN / f"{name}.safetensors")
        return {key: tensor.float() for key, tensor in tensors.items()}

    return read


@pytest.fixture
def weights():
    """Pick the network's weights out of a reference file."""

    def pick(tensors, prefix="sd."):
        return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

    return pick


@pytest.fixture
def inputs():
    """The released network's inputs as ours takes them."""

    def translate(x, semantics, timestep):
        rows, cols = x.shape[-2] // 16, x.shape[-1] // 16
        return {
            "noisy": x[:, :1],
            "image": x[:, 1:] + 0.5,
            "time": timestep / 1000,
            "features": semantics.transpose(1, 2).unflatten(2, (rows, cols)),
        }

    return translate


@pytest.fixture
def released(golden, weights):
    """A reference file and the network of its weights."""

    def load(name):
        tensors = golden(name)
        return tensors, image_dit(weights(tensors))

    return load
