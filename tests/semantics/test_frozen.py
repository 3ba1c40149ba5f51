import copy
import pickle

import pytest
import torch
from torch import nn

from ppvd.semantics import Frozen, NoSemantics, SemanticEncoder, ViT, ViTEncoder


def encoder():
    torch.manual_seed(0)
    return ViTEncoder(ViT(width=16, depth=1, num_heads=2, patch=4, grid=4))


class Task(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Frozen(encoder())
        self.net = nn.Linear(2, 2)


def test_nothing_of_it_is_visible_to_training_or_saving():
    task = Task()
    assert [name for name, _ in task.named_parameters()] == ["net.weight", "net.bias"]
    assert not list(task.encoder.buffers())
    assert list(task.state_dict()) == ["net.weight", "net.bias"]
    task.load_state_dict(nn.Module.state_dict(Task()), strict=True)


def test_stays_in_evaluation_without_gradients():
    task = Task().train().requires_grad_(True)
    assert not any(module.training for module in task.encoder.encoder.modules())
    image = torch.rand(1, 3, 8, 8, requires_grad=True)
    assert not task.encoder(image).requires_grad
    assert not any(p.requires_grad for p in task.encoder.encoder.parameters())


def test_features_may_be_used_in_a_graph():
    features = Frozen(encoder())(torch.rand(1, 3, 8, 8))
    layer = nn.Conv2d(16, 1, 1)
    layer(features).sum().backward()  # inference tensors would refuse
    assert layer.weight.grad is not None


class Clips(SemanticEncoder):
    """Tells each frame how long its clip is."""

    width = 1
    sees_clips = True

    def forward(self, image):
        return torch.full_like(image[:, :, :1], image.shape[1])


def test_describes_a_clip_frame_by_frame_with_an_encoder_of_images():
    frozen, clip = Frozen(encoder()), torch.rand(2, 3, 3, 8, 12)
    features = frozen(clip)
    assert features.shape == (2, 3, 16, 2, 3)
    torch.testing.assert_close(features[1, 2], frozen(clip[1:, 2])[0])
    assert Frozen(NoSemantics())(clip).shape[:3] == (2, 3, 0)


def test_hands_whole_clips_to_an_encoder_of_clips():
    frozen = Frozen(Clips())
    assert frozen(torch.rand(2, 3, 3, 8, 8)).unique().tolist() == [3]
    assert frozen(torch.rand(2, 3, 8, 8)).shape == (2, 1, 8, 8)
    assert frozen(torch.rand(2, 3, 8, 8)).unique().tolist() == [1]


def test_moves_with_its_owner():
    task = Task()
    task.to(torch.float64)
    assert task.encoder.encoder.backbone.cls_token.dtype == torch.float64
    assert task.encoder.encoder.input.mean.dtype == torch.float64
    assert task.encoder(torch.rand(1, 3, 8, 8, dtype=torch.float64)).dtype == torch.float64
    task.to("meta")
    assert task.encoder.encoder.backbone.cls_token.is_meta


def test_follows_the_image_to_its_device():
    frozen = Frozen(encoder())
    assert frozen(torch.empty(1, 3, 8, 8, device="meta")).is_meta


def test_deep_copies_share_it():
    task = Task().eval()
    twin = copy.deepcopy(task)
    assert twin.encoder is not task.encoder
    assert twin.encoder.encoder is task.encoder.encoder
    assert twin.net.weight.data_ptr() != task.net.weight.data_ptr()
    assert not twin.encoder.training


def test_is_pickled_whole_for_spawned_workers():
    task = Task()
    twin = pickle.loads(pickle.dumps(task))
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(task.encoder(image), twin.encoder(image))
    assert not list(twin.encoder.parameters())


def test_takes_its_weights_from_the_file_after_the_meta_device(tmp_path):
    source = encoder()
    torch.save(source.backbone.state_dict(), tmp_path / "vit.pth")
    with torch.device("meta"):
        frozen = Frozen(ViTEncoder(encoder().backbone, weights=tmp_path / "vit.pth"))
    frozen.to_empty(device="cpu")
    image = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(frozen(image), source(image))


def test_meta_weights_cannot_be_used_by_mistake():
    with torch.device("meta"):
        frozen = Frozen(encoder())
    with pytest.raises(NotImplementedError, match="meta tensor"):
        frozen(torch.rand(1, 3, 8, 8))


def test_width_and_description_are_the_encoders():
    frozen = Frozen(encoder())
    assert frozen.width == 16
    assert "ViTEncoder, width=16" in repr(frozen)
    assert Frozen(NoSemantics()).width == 0
    assert Frozen(NoSemantics())(torch.rand(2, 3, 4, 4)).shape[:2] == (2, 0)
