from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ppvd.losses import GradientMatching

GOLDEN = Path(__file__).parents[1] / "golden" / "released" / "grad_loss_a.safetensors"


@pytest.fixture
def golden():
    return {name: tensor.float() for name, tensor in load_file(GOLDEN).items()}


def _step(golden, make_step, mask):
    return make_step(
        golden["in.target"][:, None],
        golden["in.prediction"][:, None].requires_grad_(),
        mask[:, None] > 0,
    )


def test_matches_the_released_loss_and_its_gradient(golden, make_step):
    step = _step(golden, make_step, golden["in.mask"])
    loss = GradientMatching()(step)
    assert loss.item() == pytest.approx(golden["out.loss"].item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(loss, step.predicted_clean)
    expected = golden["out.grad"]
    assert (gradient[:, 0] - expected).abs().max() < 2e-5 * expected.std()


def test_matches_the_released_loss_without_a_mask(golden, make_step):
    step = _step(golden, make_step, torch.ones_like(golden["in.mask"]))
    expected = golden["out.loss_full_mask"].item()
    assert GradientMatching()(step).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scale", range(4))
def test_matches_each_released_scale(golden, make_step, scale):
    step = _step(golden, make_step, golden["in.mask"])
    expected = golden[f"out.scale{scale}"].item()
    assert GradientMatching((2**scale,))(step).item() == pytest.approx(expected, rel=1e-6)


def test_a_scale_without_valid_pixels_adds_nothing_where_the_released_loss_is_nan(
    golden, make_step
):
    assert golden["out.loss_mask_odd_only"].isnan()
    step = _step(golden, make_step, golden["in.mask_odd_only"])
    loss = GradientMatching()(step)
    loss.backward()
    assert loss == GradientMatching((1,))(step)
    assert step.predicted_clean.grad is None or step.predicted_clean.grad.isfinite().all()


def test_equals_a_plain_loop_over_neighbours(make_step):
    rng = np.random.default_rng(0)
    truth, guess = rng.normal(size=(2, 1, 1, 5, 4)).astype(np.float32)
    valid = rng.random((1, 1, 5, 4)) < 0.7
    error, mask, total = (guess - truth)[0, 0], valid[0, 0], 0.0
    for row in range(5):
        for col in range(4):
            for below, right in ((1, 0), (0, 1)):
                if row + below < 5 and col + right < 4:
                    other = row + below, col + right
                    if mask[row, col] and mask[other]:
                        total += abs(error[row, col] - error[other])
    step = make_step(*map(torch.from_numpy, (truth, guess, valid)))
    assert GradientMatching((1,))(step).item() == pytest.approx(total / mask.sum(), rel=1e-5)


def test_does_not_see_a_shift_of_the_prediction(make_step):
    truth, guess = torch.randn(2, 2, 1, 9, 8)
    loss = GradientMatching()
    shifted = loss(make_step(truth, guess + 3.0))
    assert shifted.item() == pytest.approx(loss(make_step(truth, guess)).item(), rel=1e-4)


@pytest.mark.parametrize("strides", [(), (1, 0)])
def test_strides_must_be_positive(strides):
    with pytest.raises(ValueError, match="strides must be at least 1"):
        GradientMatching(strides)
