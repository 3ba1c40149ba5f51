import sys

import pytest
import torch

from ppvd.semantics import Frozen, TransformersEncoder, ViT

pytest.importorskip("transformers")

DINO = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
}
NAMES = {  # Ours, in the order in which it keeps them, and theirs.
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
}
BLOCK_NAMES = {
    "norm1": "norm1",
    "attn.proj": "attention.o_proj",
    "norm2": "norm2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}


def dino(**changes):
    torch.manual_seed(0)
    encoder = TransformersEncoder("dinov2", config=DINO | changes).eval()
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return encoder


def our_names(theirs, depth=2):
    """The names of DINOv2's authors for a state dict of transformers."""
    names = dict(NAMES)
    state = {
        "cls_token": theirs["embeddings.cls_token"],
        "pos_embed": theirs["embeddings.position_embeddings"],
    }
    for index in range(depth):
        ours, block = f"blocks.{index}", f"encoder.layer.{index}"
        names |= {f"{ours}.{a}": f"{block}.{b}" for a, b in BLOCK_NAMES.items()}
        for kind in ("weight", "bias"):
            parts = [theirs[f"{block}.attention.{part}_proj.{kind}"] for part in "qkv"]
            state[f"{ours}.attn.qkv.{kind}"] = torch.cat(parts)
        for scale in (1, 2):
            state[f"{ours}.ls{scale}.gamma"] = theirs[f"{block}.layer_scale{scale}.lambda1"]
    for ours, name in names.items():
        state |= {f"{ours}.{kind}": theirs[f"{name}.{kind}"] for kind in ("weight", "bias")}
    return state


@pytest.mark.parametrize("size", [(64, 64), (32, 96)])
@torch.no_grad()
def test_our_vit_and_that_of_transformers_agree(size):
    encoder = dino()
    vit = ViT(width=32, depth=2, num_heads=2, patch=14, grid=4, antialias=False)
    vit.load_state_dict(our_names(encoder.backbone.state_dict()), strict=True)
    image = torch.rand(2, 3, *size)
    expected = vit(encoder.input(image))
    assert (encoder(image) - expected).abs().max() < 1e-4 * expected.std()


@pytest.mark.parametrize(
    ("model", "config"),
    [
        ("vit", DINO | {"image_size": 32, "patch_size": 8}),
        ("dinov2_with_registers", DINO),
        ("dinov3_vit", DINO | {"patch_size": 16, "num_register_tokens": 3}),
        ("siglip_vision_model", DINO),
    ],
)
@torch.no_grad()
def test_a_grid_of_features_at_any_size_whatever_the_backbone(model, config):
    encoder = Frozen(TransformersEncoder(model, config=config | {"intermediate_size": 64}))
    assert encoder(torch.rand(1, 2, 3, 48, 96)).shape == (1, 2, 32, 3, 6)


@torch.no_grad()
def test_features_keep_the_place_of_their_patch():
    encoder = TransformersEncoder("dinov2", config=DINO | {"num_hidden_layers": 0}, cell=14)
    image = torch.zeros(1, 3, 28, 42)
    changed = image.clone()
    changed[..., 14:, 28:] = 1
    moved = (encoder(image) - encoder(changed)).abs().sum((0, 1)) > 1e-6
    assert moved.tolist() == [[False, False, False], [False, False, True]]


@torch.no_grad()
def test_maps_are_taken_as_they_are():
    config = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2, "hidden_size": 16}
    encoder = TransformersEncoder("convnext", config=config, patch=8, cell=8)
    assert encoder(torch.rand(1, 3, 32, 48)).shape == (1, 16, 4, 6)


@torch.no_grad()
def test_reads_a_folder_and_comes_back_from_the_meta_device(tmp_path):
    source = dino()
    source.backbone.save_pretrained(tmp_path)
    image = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(TransformersEncoder(str(tmp_path))(image), source(image))
    with torch.device("meta"):
        frozen = Frozen(TransformersEncoder(str(tmp_path)))
    frozen.to_empty(device="cpu")
    torch.testing.assert_close(frozen(image), source(image))


def test_a_backbone_that_tells_no_single_patch():
    with pytest.raises(ValueError, match="of resnet must tell one hidden_size, got None"):
        TransformersEncoder("resnet", config={"hidden_sizes": [8, 8, 8, 8], "depths": [1] * 4})


def test_an_unknown_type_of_model():
    with pytest.raises(ValueError, match="dinov9"):
        TransformersEncoder("dinov9", config={})


def test_a_missing_package_is_answered_with_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'ppvd\[transformers\]'"):
        TransformersEncoder("dinov2", config=DINO)
