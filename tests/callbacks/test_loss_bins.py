import functools
from types import SimpleNamespace

import pytest
import torch

from ppvd.callbacks import GradientNorms, LossBins
from ppvd.losses import FlowStep
from ppvd.nn import CascadeDiT
from ppvd.semantics import NoSemantics
from ppvd.tasks import PPD


class Logger:
    def __init__(self):
        self.logged = []

    def log_metrics(self, values, step):
        self.logged.append((step, values))


@pytest.fixture
def trainer():
    return SimpleNamespace(
        loggers=[Logger()], is_global_zero=True, global_step=7, log_every_n_steps=50
    )


@pytest.fixture
def task():
    net = functools.partial(CascadeDiT, width=16, depth=2, num_heads=2, patch=2)
    return PPD(NoSemantics(), net)


def test_errors_are_the_means_of_their_bins_and_sources(trainer, task):
    errors = torch.tensor([1.0, 2.0, 3.0, 4.0])
    times = torch.tensor([0.1, 0.3, 0.35, 1.0])
    velocity = torch.zeros(4, 1, 2, 2)
    predicted = errors.sqrt().view(4, 1, 1, 1).expand(4, 1, 2, 2).clone()
    predicted[:, :, 0, 0] = 99.0
    valid = torch.ones(4, 1, 2, 2, dtype=torch.bool)
    valid[:, :, 0, 0] = False
    step = FlowStep(
        clean=velocity,
        velocity=velocity,
        predicted_velocity=predicted,
        predicted_clean=velocity,
        time=times,
        valid=valid,
        tokens=None,
        features=None,
    )
    bins = LossBins(num_bins=4, every_n_steps=2)
    bins.on_fit_start(trainer, task)
    for index, sources in enumerate((["a", "a", "b", "b"], ["a", "b", "b", "b"])):
        task.losses["velocity"](step)
        bins.on_train_batch_end(trainer, task, None, {"source": sources}, index)
    bins.on_fit_end(trainer, task)
    task.losses["velocity"](step)
    ((at, values),) = trainer.loggers[0].logged
    assert at == 7
    assert values == pytest.approx(
        {
            "train/velocity_at/0.00-0.25": 1.0,
            "train/velocity_at/0.25-0.50": 2.5,
            "train/velocity_at/0.75-1.00": 4.0,
            "train/velocity_of/a": 4 / 3,
            "train/velocity_of/b": 16 / 5,
        },
        rel=1e-5,
    )
    assert not bins._errors


def test_norms_are_those_of_the_parts(trainer, task):
    trainer.global_step = 100
    for number, parameter in enumerate(task.parameters()):
        parameter.grad = torch.full_like(parameter, 0.01 * (number + 1))
    GradientNorms().on_before_optimizer_step(trainer, task, None)
    trainer.global_step = 101
    GradientNorms().on_before_optimizer_step(trainer, task, None)
    ((at, values),) = trainer.loggers[0].logged
    assert at == 100
    squares = [p.grad.double().square().sum() for p in task.net.head.parameters()]
    assert values["gradients/head"] == pytest.approx(float(sum(squares)) ** 0.5, rel=1e-5)
    assert {"gradients/blocks", "gradients/embed", "gradients/modulator"} <= values.keys()


def test_what_cannot_be_is_refused(trainer, task):
    with pytest.raises(ValueError, match="num_bins must be at least 1, got 0"):
        LossBins(num_bins=0)
    with pytest.raises(ValueError, match="every_n_steps must be at least 1, got 0"):
        GradientNorms(0)
    with pytest.raises(ValueError, match=r"loss must be one of \['velocity'\], got 'other'"):
        LossBins("other").on_fit_start(trainer, task)
