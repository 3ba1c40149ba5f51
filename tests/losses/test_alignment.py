import numpy as np
import pytest
import torch
from torch import nn

from ppvd.losses import FeatureAlignment


@pytest.fixture
def loss():
    torch.manual_seed(0)
    alignment = FeatureAlignment(1, hidden=16)
    alignment.configure(6, 5)
    return alignment


def _step(make_step, tokens, features):
    code = torch.zeros(len(tokens), 1, 8, 8)
    return make_step(code, code, tokens=tokens, features=features)


def test_is_one_minus_the_mean_cosine_to_the_features(loss, make_step):
    tokens, features = torch.randn(2, 6, 3, 4), torch.randn(2, 5, 3, 4)
    projected = loss.projector(tokens.permute(0, 2, 3, 1)).detach().numpy()
    target = features.permute(0, 2, 3, 1).numpy()
    norms = np.linalg.norm(projected, axis=-1) * np.linalg.norm(target, axis=-1)
    expected = 1 - ((projected * target).sum(-1) / norms).mean()
    assert loss(_step(make_step, tokens, features)).item() == pytest.approx(expected, rel=1e-5)


def test_is_zero_when_the_projection_points_along_the_features(loss, make_step):
    loss.projector = nn.Identity()
    tokens = torch.randn(2, 6, 3, 4)
    value = loss(_step(make_step, tokens, 7 * tokens))
    assert value.item() == pytest.approx(0, abs=1e-6)


def test_features_are_brought_to_the_grid_of_the_tokens(loss, make_step):
    tokens, features = torch.randn(2, 6, 4, 8), torch.randn(2, 5, 1, 1)
    alike = loss(_step(make_step, tokens, features.expand(2, 5, 4, 8)))
    assert loss(_step(make_step, tokens, features)).item() == pytest.approx(alike.item(), rel=1e-6)


def test_the_gradient_reaches_tokens_and_projector_but_not_features(loss, make_step):
    tokens = torch.randn(2, 6, 3, 4, requires_grad=True)
    loss(_step(make_step, tokens, torch.randn(2, 5, 6, 6))).backward()
    assert (tokens.grad != 0).any()
    assert all((parameter.grad != 0).any() for parameter in loss.parameters())


def test_stays_float32_under_autocast(loss, make_step):
    tokens, features = torch.randn(2, 6, 3, 4), torch.randn(2, 5, 3, 4)
    exact = loss(_step(make_step, tokens, features))
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(_step(make_step, tokens.bfloat16(), features.bfloat16()))
    assert value.dtype is torch.float32
    assert value.item() == pytest.approx(exact.item(), abs=2e-2)


def test_says_what_is_missing(loss, make_step):
    with pytest.raises(ValueError, match="semantic_width must be at least 1"):
        FeatureAlignment().configure(6, 0)
    with pytest.raises(ValueError, match="tap must be the index of a block, got -1"):
        FeatureAlignment(-1)
    with pytest.raises(ValueError, match="projector must be built before use"):
        FeatureAlignment()(_step(make_step, torch.zeros(1, 6, 1, 1), torch.zeros(1, 5, 1, 1)))
    with pytest.raises(ValueError, match="step must carry tokens and features"):
        loss(_step(make_step, torch.zeros(1, 6, 1, 1), None))


def test_frames_of_clips_count_as_images(loss, make_step):
    tokens, features = torch.randn(2, 3, 6, 4, 8), torch.randn(2, 3, 5, 2, 4)
    flat = loss(_step(make_step, tokens.flatten(0, 1), features.flatten(0, 1)))
    torch.testing.assert_close(loss(_step(make_step, tokens, features)), flat)
