import pytest
import torch
from torch.nn import functional as F

from ppvd.nn import SemanticPrompt, TokenGrid

GRID = TokenGrid(2, 3)


@pytest.fixture
def fusion():
    torch.manual_seed(0)
    return SemanticPrompt(8, 5, factor=2, hidden=24)


def test_is_one_mlp_of_tokens_and_unit_features_side_by_side(fusion):
    tokens, features = torch.randn(2, 6, 8), torch.randn(2, 5, 2, 3)
    unit = F.normalize(features, dim=1).flatten(2).transpose(1, 2)
    first = torch.cat([fusion.tokens.weight, fusion.features.weight], 1)
    hidden = F.silu(F.linear(torch.cat([tokens, unit], -1), first, fusion.tokens.bias))
    expected = fusion.out(F.silu(fusion.middle(hidden))).view(2, 24, 8)
    torch.testing.assert_close(fusion(tokens, fusion.prompt(features, GRID)), expected)


def test_the_magnitude_of_features_does_not_matter(fusion):
    features = torch.randn(2, 5, 2, 3)
    louder = features * torch.tensor([3.0, 0.01]).view(2, 1, 1, 1)
    torch.testing.assert_close(fusion.prompt(louder, GRID), fusion.prompt(features, GRID))


def test_zero_features_stay_finite(fusion):
    assert fusion.prompt(torch.zeros(1, 5, 2, 3), GRID).isfinite().all()


def test_features_on_another_grid_are_interpolated_after_the_norm(fusion):
    features = torch.randn(2, 5, 4, 4)
    unit = F.interpolate(F.normalize(features, dim=1), (2, 3), mode="bilinear")
    expected = fusion.features(unit.flatten(2).transpose(1, 2))
    torch.testing.assert_close(fusion.prompt(features, GRID), expected)


def test_each_token_becomes_the_four_of_its_cell(fusion):
    tokens = torch.randn(1, 6, 8)
    split = fusion(tokens, None)
    alone = fusion(tokens[:, 2:3], None)
    assert split.shape == (1, 24, 8)
    torch.testing.assert_close(split[:, 8:12], alone)


def test_factor_1_keeps_the_grid():
    fusion = SemanticPrompt(8, 5, factor=1, hidden=24)
    assert fusion(torch.randn(2, 6, 8), torch.randn(2, 6, 24)).shape == (2, 6, 8)


def test_the_first_layer_starts_as_one_xavier_matrix():
    fusion = SemanticPrompt(64, 192, factor=2, hidden=256)
    bound = (6 / (64 + 192 + 256)) ** 0.5
    for half in (fusion.tokens, fusion.features):
        assert 0.98 * bound < half.weight.abs().max() <= bound


def test_the_gain_is_on_the_features_half_alone():
    torch.manual_seed(0)
    plain = SemanticPrompt(8, 5, factor=2, hidden=24)
    torch.manual_seed(0)
    louder = SemanticPrompt(8, 5, factor=2, hidden=24, prompt_gain=3.0)
    for name, weight in plain.named_parameters():
        gain = 3.0 if name == "features.weight" else 1.0
        torch.testing.assert_close(louder.get_parameter(name), gain * weight)
