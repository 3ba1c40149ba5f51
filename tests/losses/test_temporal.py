import numpy as np
import pytest
import torch

from ppvd.losses import CodeError, GradientMatching, TemporalGradient, VelocityError


def numbers(seed, shape=(2, 7, 1, 5, 4)):
    rng = np.random.default_rng(seed)
    truth, guess = rng.normal(size=(2, *shape)).astype(np.float32)
    return truth, guess, rng.random(shape) < 0.7


def eq9(truth, guess, valid, *, num_references, last):
    """Eq. 9 in words of NumPy, frames counted from 1 as printed."""
    total, count = 0.0, 0
    for clip in range(len(truth)):
        for j in range(num_references + 1, last + 1):
            for i in range(1, num_references + 1):
                both = valid[clip, j - 1] & valid[clip, i - 1]
                predicted = guess[clip, j - 1] - guess[clip, i - 1]
                true = truth[clip, j - 1] - truth[clip, i - 1]
                total += np.abs((predicted - true)[both]).sum(dtype=np.float64)
                count += both.sum()
    return total / count


@pytest.mark.parametrize("num_references", [1, 2, 3])
def test_equals_a_plain_loop_over_pairs_of_frames(make_step, num_references):
    truth, guess, valid = numbers(0)
    step = make_step(*map(torch.from_numpy, (truth, guess, valid)))
    expected = eq9(truth, guess, valid, num_references=num_references, last=7)
    assert TemporalGradient(num_references)(step).item() == pytest.approx(expected, rel=1e-5)


def test_the_printed_limit_keeps_the_printed_divisor(make_step):
    truth, guess, valid = numbers(1)
    step = make_step(*map(torch.from_numpy, (truth, guess, valid)))
    expected = eq9(truth, guess, valid, num_references=2, last=5) * (5 - 2) / (7 - 2)
    loss = TemporalGradient(2, literal=True)(step)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_without_holes_it_is_the_mean_of_eq_9(make_step):
    truth, guess, _ = numbers(2)
    change = [
        np.abs((guess[:, j] - guess[:, i]) - (truth[:, j] - truth[:, i])).mean()
        for j in range(3, 7)
        for i in range(3)
    ]
    loss = TemporalGradient(3)(make_step(torch.from_numpy(truth), torch.from_numpy(guess)))
    assert loss.item() == pytest.approx(sum(change) / (3 * (7 - 3)), rel=1e-5)


def test_does_not_see_one_shift_of_the_whole_clip_but_that_of_one_frame(make_step):
    truth, guess, _ = map(torch.from_numpy, numbers(3))
    loss = TemporalGradient()
    plain = loss(make_step(truth, guess)).item()
    assert loss(make_step(truth, guess + 3)).item() == pytest.approx(plain, rel=1e-4)
    guess[:, 4] += 30
    assert loss(make_step(truth, guess)).item() > 2 * plain


def test_neither_value_nor_gradient_sees_what_is_not_valid(make_step):
    truth, guess, valid = map(torch.from_numpy, numbers(4))
    step = make_step(truth.where(valid, torch.nan), guess.requires_grad_(), valid)
    loss = TemporalGradient()(step)
    loss.backward()
    assert loss.isfinite()
    assert guess.grad.isfinite().all()
    assert not guess.grad[~valid].any()
    assert guess.grad[valid].any()


@pytest.mark.parametrize("shape", [(2, 3, 1, 4, 4), (2, 1, 1, 4, 4), (2, 1, 4, 4)])
def test_is_zero_without_a_frame_beside_the_references(make_step, shape):
    loss = TemporalGradient(3)(make_step(torch.rand(shape), torch.rand(shape)))
    assert loss.item() == 0
    assert TemporalGradient(3, literal=True)(make_step(torch.rand(shape), torch.rand(shape))) == 0


def test_is_zero_where_no_pixel_is_valid_twice(make_step):
    valid = torch.zeros(1, 4, 1, 2, 2, dtype=torch.bool)
    valid[:, :2] = True
    step = make_step(torch.rand(valid.shape), torch.rand(valid.shape), valid)
    assert TemporalGradient(2)(step).item() == 0


@pytest.mark.parametrize("loss", [VelocityError(), GradientMatching(), CodeError()])
def test_other_losses_take_clips_as_so_many_images(make_step, loss):
    truth, guess, valid = map(torch.from_numpy, numbers(5, (2, 3, 1, 9, 8)))
    flat = make_step(truth.flatten(0, 1), guess.flatten(0, 1), valid.flatten(0, 1))
    torch.testing.assert_close(loss(make_step(truth, guess, valid)), loss(flat))


def test_a_reference_is_needed():
    with pytest.raises(ValueError, match="num_references must be at least 1, got 0"):
        TemporalGradient(0)
