"""Whatever the maps, masks and predictions: no exception, no warning and no silent nan."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ppvd.geometry import (
    Alignment,
    DepthCanny,
    cut3r_alignment,
    depthcrafter_alignment,
    marigold_alignment,
    midas_alignment,
    moge_alignment,
    no_alignment,
    ppd_alignment,
    vda_alignment,
)
from ppvd.metrics import (
    BoundaryF1,
    CloudScore,
    DepthErrors,
    DiscBoundaryF1,
    Drift,
    EdgeChamfer,
    EdgeDistance,
    FlowWarpingError,
    FlyingPixels,
    SeamJump,
    TemporalAlignmentError,
    TemporalGradientError,
)

# Some kinds of maps, masks and predictions hang on nothing.
# ruff: noqa: ARG005

ALIGNMENTS = [
    ppd_alignment(),
    ppd_alignment(parity=True),
    marigold_alignment(),
    marigold_alignment(space="disparity", far_m=None),
    midas_alignment(),
    midas_alignment(parity=True),
    moge_alignment(),
    moge_alignment(invariance="scale"),
    moge_alignment(invariance="disparity"),
    vda_alignment(),
    depthcrafter_alignment(domain="disp"),
    cut3r_alignment(),
    cut3r_alignment(shift=True, parity=True),
    no_alignment(),
    Alignment(),
    Alignment(solver="trimmed"),
    Alignment(solver="median_scale", space="depth"),
    Alignment(solver="scale", space="disparity", weighting="relative"),
]
IMAGES = {
    "errors": DepthErrors,
    "pooled": lambda alignment: DepthErrors(alignment, min_pixels=1, reduction="pixel_pool"),
    "chamfer": EdgeChamfer,
    "chamfer in logs": lambda alignment: EdgeChamfer(
        alignment,
        dilation=0,
        target="full",
        unit="log",
        canny=DepthCanny(euclidean=True, engine="kornia"),
    ),
    "boundary": BoundaryF1,
    "boundary with parity": lambda alignment: BoundaryF1(alignment, parity=True),
    "disc": lambda alignment: DiscBoundaryF1(alignment, radius=2),
    "cloud": CloudScore,
    "edge distance": EdgeDistance,
    "flying": FlyingPixels,
}
CLIPS = {
    "errors": DepthErrors,
    "tae": TemporalAlignmentError,
    "tae of some": lambda alignment: TemporalAlignmentError(alignment, frames=(1, 4)),
    "tae with parity": lambda alignment: TemporalAlignmentError(alignment, parity=True),
    "gradient": TemporalGradientError,
    "drift": Drift,
    "seams": lambda alignment: SeamJump(alignment, first=2, step=1),
    "flow": FlowWarpingError,
}
DEPTHS = {
    "random": lambda rng, shape: rng.uniform(0.5, 9.0, shape),
    "step": lambda rng, shape: (
        np.where(np.arange(shape[-1]) < shape[-1] // 2, 1.0, 4.0) * rng.uniform(0.99, 1.01, shape)
    ),
    "constant": lambda rng, shape: np.full(shape, rng.uniform(0.1, 80.0)),
    "wide": lambda rng, shape: 10.0 ** rng.uniform(-3.0, 3.0, shape),
}
MASKS = {
    "all": lambda rng, shape: np.ones(shape, bool),
    "none": lambda rng, shape: np.zeros(shape, bool),
    "some": lambda rng, shape: rng.random(shape) < rng.random(),
    "one": lambda rng, shape: (
        np.arange(np.prod(shape)).reshape(shape) == rng.integers(np.prod(shape))
    ),
}
PREDICTIONS = {
    "affine": lambda rng, truth: rng.normal() * np.log1p(truth) + rng.normal(),
    "noisy": lambda rng, truth: truth * rng.lognormal(0.0, 0.3, truth.shape),
    "unrelated": lambda rng, truth: rng.normal(size=truth.shape),
    "constant": lambda rng, truth: np.full(truth.shape, rng.normal()),
    "zero": lambda rng, truth: np.zeros(truth.shape),
    "reversed": lambda rng, truth: -truth,
    "huge": lambda rng, truth: 1e6 * rng.normal(size=truth.shape),
    "tiny": lambda rng, truth: 1e-12 * rng.normal(size=truth.shape),
    "two values": lambda rng, truth: (rng.random(truth.shape) < 0.5).astype(float),
}


def samples(shape, depth, mask, prediction, seed):
    """Make a batch; where it is not valid, the truth holds what data sets hold there."""
    rng = np.random.default_rng(seed)
    truth = DEPTHS[depth](rng, shape)
    valid = np.broadcast_to(MASKS[mask](rng, shape), shape).copy()
    guess = PREDICTIONS[prediction](rng, truth)
    holes = rng.choice([0.0, np.nan, np.inf])
    k = torch.tensor([[9.0, 0.0, 3.0], [0.0, 9.0, 3.0], [0.0, 0.0, 1.0]])
    lead = shape[:-3]
    pose = torch.eye(4).repeat(*lead, 1, 1)
    pose[..., :3, 3] = torch.from_numpy(rng.normal(size=(*lead, 3)))
    pose[torch.from_numpy(rng.random(lead) < 0.2)] = torch.nan
    frames = shape[1] if len(shape) == 5 else 1
    return {
        "prediction": torch.from_numpy(guess).float(),
        "depth": torch.from_numpy(np.where(valid, truth, holes)).float(),
        "valid": torch.from_numpy(valid),
        "intrinsics": k.expand(*lead, 3, 3),
        "pose": pose,
        "image": torch.rand(shape[0], frames, 3, *shape[-2:]),
        "flow": torch.randn(shape[0], frames - 1, 2, *shape[-2:]),
    }


def assert_explained(metric, found, count):
    """Means are finite, or there was no image to average."""
    skipped = int(found[metric.skipped_name])
    assert 0 <= skipped <= count
    for name in found.keys() - {metric.skipped_name, *metric.counters}:
        value = found[name]
        assert bool(value.isnan()) if skipped == count else bool(value.isfinite()), name


def check(metric, batch, count):
    metric.update(**metric._filter_kwargs(**batch))
    found = metric.compute()
    assert all(isinstance(value, Tensor) for value in found.values())
    assert_explained(metric, found, count)


def choose(values):
    return st.sampled_from(list(values))


SIDES = st.integers(1, 13)
SEEDS = st.integers(0, 2**31)
MAPS = {
    "depth": choose(DEPTHS),
    "mask": choose(MASKS),
    "prediction": choose(PREDICTIONS),
    "seed": SEEDS,
}


@settings(max_examples=700, deadline=None, derandomize=True, database=None)
@given(kind=choose(IMAGES), alignment=choose(ALIGNMENTS), size=st.tuples(SIDES, SIDES), **MAPS)
def test_images_of_any_kind(kind, alignment, size, depth, mask, prediction, seed):
    batch = samples((2, 1, *size), depth, mask, prediction, seed)
    check(IMAGES[kind](alignment), batch, count=2)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    kind=choose(CLIPS),
    alignment=choose(ALIGNMENTS),
    size=st.tuples(SIDES, SIDES),
    frames=st.integers(1, 5),
    **MAPS,
)
def test_clips_of_any_kind(kind, alignment, size, frames, depth, mask, prediction, seed):
    batch = samples((2, frames, 1, *size), depth, mask, prediction, seed)
    metric = CLIPS[kind](alignment)
    check(metric, batch, count=2 * frames if kind == "errors" else 2)
