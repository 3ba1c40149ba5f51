"""A tiny PPVD learns a clip by heart, and what only its reference frame tells."""

import functools

import pytest
import torch

from ppvd.data.collate import collate_clips, with_floats
from ppvd.data.sources.synthetic import render_clip
from ppvd.flow import LogitNormalTimes
from ppvd.geometry import Alignment
from ppvd.losses import CodeError, TemporalGradient, VelocityError
from ppvd.metrics import DepthErrors
from ppvd.nn import CascadeDiT, Propagation
from ppvd.semantics import NoSemantics
from ppvd.tasks import PPVD, WarmupCosine, WindowPlan

NUM_STEPS = 300


@pytest.fixture(scope="module")
def room():
    """Four frames of a walk through a rendered room."""
    clip = render_clip(4, num_frames=4, size=(32, 32))
    return with_floats(collate_clips([clip], keys=["a"], sources=["r"]))


def learnt(batch, propagation):
    """Train on one batch of clips alone, and return AbsRel with one alignment a clip."""
    torch.manual_seed(0)
    size = {"width": 64, "depth": 4, "num_heads": 2, "patch": 4, "prediction": "clean"}
    task = PPVD(
        NoSemantics(),
        functools.partial(CascadeDiT, **size, propagation=propagation),
        windows=WindowPlan(length=4, keyframes=(0, 3)),
        losses={
            "velocity": VelocityError(),
            "code": CodeError(),
            "temporal": TemporalGradient(1),
        },
        weights={"code": 2.0},
        times=LogitNormalTimes(2.0, 2.0),
    )
    task.log = task.log_dict = lambda *_, **__: None
    task._fabric = None
    optimizer = torch.optim.AdamW(task.parameters(), lr=3e-3, weight_decay=0.0)
    schedule = WarmupCosine(optimizer, NUM_STEPS)
    for _ in range(NUM_STEPS):
        optimizer.zero_grad()
        task.training_step(batch, 0).backward()
        torch.nn.utils.clip_grad_norm_(task.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    errors = DepthErrors(Alignment(space="disparity"))
    code = task.eval().predict(batch["image"], keys=batch["key"])
    errors.update(code, batch["depth"], batch["valid"])
    return errors.compute()["abs_rel"].item()


def ambiguous(room):
    """Two clips with the same pictures behind the first frame, but thrice the depth in one.

    The colour of the first frame tells which of the two it is.
    """
    tensors = {name: value for name, value in room.items() if isinstance(value, torch.Tensor)}
    both = {name: value.repeat(2, *[1] * (value.ndim - 1)) for name, value in tensors.items()}
    both["depth"][1, 1:] *= 3
    both["image"][0, 0, 0] = 0
    both["image"][1, 0, 2] = 0
    return both | {"key": ["near", "far"], "source": ["r", "r"]}


def test_a_clip_is_learnt_by_heart_with_one_scale_and_shift(room):
    assert learnt(room, Propagation(pool=2)) < 0.03


@pytest.mark.slow
def test_a_range_that_only_the_reference_shows_reaches_the_other_frames_by_propagation(room):
    """Measured: 3 % with propagation, 17 % without."""
    first = Propagation(references=(0,), pool=2)
    assert learnt(ambiguous(room), first) < 0.06
    assert learnt(ambiguous(room), None) > 0.12
