import pytest
import torch
from safetensors.torch import save_file

from ppvd.semantics import ClipEncoder, Frozen, ViT, ViTEncoder

HEADS = 2


def vit():
    return ViT(width=16, depth=1, num_heads=HEADS, patch=4, grid=2)


def encoder(**options):
    torch.manual_seed(0)
    return ClipEncoder(vit(), num_heads=HEADS, **options)


def awake():
    made = encoder(num_pairs=2)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def clip(num_frames=3):
    return torch.rand(1, num_frames, 3, 8, 12, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_features_have_one_place_for_each_patch_and_twice_the_width():
    features = awake()(clip())
    assert features.shape == (1, 3, 32, 2, 3)
    assert Frozen(awake())(clip()[:, 0]).shape == (1, 32, 2, 3)


@torch.no_grad()
def test_frames_listen_to_each_other_in_any_order():
    mixed, order = awake(), [2, 0, 1]
    features = mixed(clip())
    torch.testing.assert_close(mixed(clip()[:, order]), features[:, order], atol=1e-4, rtol=1e-4)
    changed = clip()
    changed[:, 2] = 0
    assert (mixed(changed) - features)[:, 0].abs().max() > 1e-3


@torch.no_grad()
def test_places_in_the_picture_are_told_apart_by_the_mixer():
    mixed = awake()
    torch.nn.init.zeros_(mixed.mixer.vit.pos_embed)
    turned = mixed(clip().flip(-1)).flip(-1)
    assert (turned - mixed(clip())).abs().max() > 1e-3


@torch.no_grad()
def test_an_untrained_mixer_passes_on_what_the_vit_says():
    mixed = encoder()
    alone = ViTEncoder(mixed.mixer.vit)(clip()[0])
    for half in mixed(clip())[0].split(16, dim=1):
        assert (half - alone).abs().max() < 0.05 * alone.abs().max()


@torch.no_grad()
def test_weights_of_mixer_or_backbone_come_from_files(tmp_path):
    trained = awake()
    state = {f"net.encoder.{name}": value for name, value in trained.state_dict().items()}
    save_file(state, tmp_path / "run.safetensors")
    filled = ClipEncoder(vit(), num_heads=2, num_pairs=2, weights=tmp_path / "run.safetensors")
    assert torch.equal(filled(clip()), trained(clip()))
    part = encoder(backbone_weights=tmp_path / "run.safetensors")
    assert torch.equal(part.mixer.vit.pos_embed, trained.mixer.vit.pos_embed)
    part.reset_parameters()
    assert torch.equal(part.mixer.vit.pos_embed, trained.mixer.vit.pos_embed)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="num_pairs must be at least 1, got 0"):
        encoder(num_pairs=0)
    with pytest.raises(ValueError, match=r"image must be a clip \(B, T, 3, H, W\), got \(1, 3"):
        encoder()(torch.rand(1, 3, 8, 8))
    with pytest.raises(ValueError, match="image width must be divisible by 4, got 6"):
        encoder()(torch.rand(1, 1, 3, 8, 6))
