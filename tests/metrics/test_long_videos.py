"""Videos are read a few frames at a time: the numbers stay, the memory does too."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ppvd.geometry import Alignment, fit_affine, parts
from ppvd.geometry.fits import moments
from ppvd.metrics import DepthErrors

FRAMES = 37  # No multiple of what is read at a time.
ALIGNMENTS = [
    Alignment(space=space, solver=solver, scope=scope, weighting=weighting)
    for space, weighting in (("disparity", "uniform"), ("log", "relative"))
    for solver in ("least_squares", "scale", "none")
    for scope in ("video", "image")
]


def video(*, batch=1, size=(12, 16)):
    generator = torch.Generator().manual_seed(0)
    shape = (batch, FRAMES, 1, *size)
    depth = torch.empty(shape).uniform_(0.5, 12.0, generator=generator)
    depth *= torch.linspace(1, 3, FRAMES).reshape(-1, 1, 1, 1)  # Frames differ.
    valid = torch.rand(shape, generator=generator) < 0.8
    valid[:, 20] = False
    noise = 0.1 * torch.randn(shape, generator=generator)
    return depth.reciprocal() + noise, depth, valid


class Sizes(TorchDispatchMode):
    """Keep the most bytes of a tensor that any operation made, views of what was given apart."""

    def __init__(self, *given):
        self.given = {one.untyped_storage().data_ptr() for one in given}
        self.largest = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        for one in tree_leaves(result):
            if isinstance(one, torch.Tensor):
                storage = one.untyped_storage()
                if storage.data_ptr() not in self.given:
                    self.largest = max(self.largest, storage.nbytes())
        return result


@pytest.mark.parametrize("alignment", ALIGNMENTS, ids=str)
def test_reading_in_parts_changes_no_number(alignment, monkeypatch):
    found = []
    for count in (16, 1000):
        monkeypatch.setattr(parts, "FRAMES_AT_ONCE", count)
        metric = DepthErrors(alignment)
        metric.update(*video(batch=2))
        found.append(metric.compute())
    for name, value in found[0].items():
        assert value.item() == pytest.approx(found[1][name].item(), rel=1e-12), name


@pytest.mark.parametrize("alignment", ALIGNMENTS, ids=str)
def test_a_long_video_is_never_in_float64(alignment):
    given = video(size=(24, 32))
    metric = DepthErrors(alignment)
    with Sizes(*given) as sizes:
        metric.update(*given)
    assert 0 < sizes.largest <= given[0].nbytes


def test_moments_of_parts_add_up_to_numpy_s_line():
    rng = np.random.default_rng(0)
    source, noise = rng.normal(1e3, 1.0, 90), rng.normal(size=90)
    target, weight = 2 * source + noise - 7, rng.uniform(0.1, 1, 90)
    x, y, w = (torch.from_numpy(one)[None] for one in (source, target, weight))
    valid = torch.ones_like(x, dtype=torch.bool)
    valid[:, 80:] = False
    both = [
        moments(x[:, part], y[:, part], valid[:, part], weight=w[:, part])
        for part in (slice(0, 30), slice(30, 90))
    ]
    line = (both[0] + both[1]).line()
    expected = np.polyfit(source[:80], target[:80], 1, w=np.sqrt(weight[:80]))
    np.testing.assert_allclose([line.scale.item(), line.shift.item()], expected, rtol=1e-9)
    assert line.scale.item() == pytest.approx(fit_affine(x, y, valid, weight=w).scale.item())


def test_a_part_without_anything_valid_adds_nothing():
    x = torch.linspace(1, 2, 6, dtype=torch.double)[None]
    full, none = torch.ones_like(x, dtype=torch.bool), torch.zeros_like(x, dtype=torch.bool)
    some = moments(x, 3 * x + 1, full)
    for both in (some + moments(x, x, none), moments(x, x, none) + some):
        assert both.line().scale.item() == pytest.approx(3.0, rel=1e-12)
        assert both.factor().scale.item() == some.factor().scale.item()


def test_empty_maps_are_one_empty_part():
    assert [len(one) for (one,) in parts.in_parts(torch.zeros(0, 3))] == [0]
    assert [len(one) for (one,) in parts.in_parts(torch.zeros(35, 3))] == [16, 16, 3]
