from pathlib import Path

import numpy as np
import pytest
import torch
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


PIECE = 1 << 20  # numbers made at once


def _hash(index):
    """Scramble 32-bit integers held in uint64; the same on every machine."""
    low = np.uint64(2**32 - 1)
    value = (index * np.uint64(2654435761)) & low
    value = ((value ^ (value >> np.uint64(15))) * np.uint64(2246822519)) & low
    return value ^ (value >> np.uint64(13))


def _hash_uniform(shape, salt, low, high):
    """Reproducible numbers in [low, high), float32, made a piece at a time to save memory."""
    values = np.empty(int(np.prod(shape)), np.float32)
    for start in range(0, values.size, PIECE):
        index = np.arange(start, min(start + PIECE, values.size), dtype=np.uint64)
        unit = (_hash(index + np.uint64(salt * 1000003)) >> np.uint64(8)) / 2.0**24
        values[start : start + index.size] = low + (high - low) * unit
    return torch.from_numpy(values).view(shape)


@pytest.fixture
def hash_uniform():
    """Draw the weights and inputs of the full-size references, which no file could hold."""
    return _hash_uniform
