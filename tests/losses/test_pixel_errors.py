import numpy as np
import pytest
import torch

from ppvd.losses import CodeError, VelocityError

LOSSES = [
    (VelocityError(), np.square),
    (CodeError("squared"), np.square),
    (CodeError("absolute"), np.abs),
]


@pytest.fixture
def case():
    torch.manual_seed(0)
    truth, guess = torch.randn(2, 3, 1, 5, 6)
    return truth, guess, torch.rand(3, 1, 5, 6) < 0.6


@pytest.mark.parametrize(("loss", "error"), LOSSES)
def test_is_the_mean_error_over_valid_pixels(loss, error, case, make_step):
    truth, guess, valid = case
    expected = error((guess - truth).numpy())[valid.numpy()].mean()
    assert loss(make_step(truth, guess, valid)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [loss for loss, _ in LOSSES])
def test_ignores_what_is_not_valid_even_if_it_is_nan(loss, case, make_step):
    truth, guess, valid = case
    spoilt = truth.where(valid, torch.nan)
    step = make_step(spoilt, guess.requires_grad_(), valid)
    loss(step).backward()
    assert guess.grad.isfinite().all()
    assert (guess.grad[~valid] == 0).all()


@pytest.mark.parametrize("loss", [loss for loss, _ in LOSSES])
def test_is_zero_with_a_graph_when_nothing_is_valid(loss, case, make_step):
    truth, guess, valid = case
    value = loss(make_step(truth, guess.requires_grad_(), torch.zeros_like(valid)))
    value.backward()
    assert value == 0
    assert (guess.grad == 0).all()


@pytest.mark.parametrize("loss", [loss for loss, _ in LOSSES])
def test_stays_float32_under_autocast(loss, case, make_step):
    truth, guess, valid = case
    guess = guess.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(make_step(truth, guess, valid))
    assert value.dtype is torch.float32
    assert value == loss(make_step(truth, guess.float(), valid))


def test_velocity_error_reads_velocities_and_code_error_reads_codes(case, make_step):
    truth, guess, valid = case
    step = make_step(truth, truth, valid, velocity=truth, predicted_velocity=guess)
    assert CodeError()(step) == 0
    assert VelocityError()(step) > 0


def test_code_error_names_its_norms():
    with pytest.raises(ValueError, match="norm must be absolute or squared, got l1"):
        CodeError("l1")
