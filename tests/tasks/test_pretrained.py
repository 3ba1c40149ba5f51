import functools
from types import SimpleNamespace

import pytest
import torch

from ppvd.flow import released_grid
from ppvd.nn import CascadeDiT
from ppvd.semantics import MoGe2, NoSemantics, Pi3
from ppvd.tasks import PPD, PPVD
from ppvd.weights import import_weights

tiny_net = functools.partial(CascadeDiT, width=32, depth=4, num_heads=2, patch=8)


def same(net, other):
    return all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))


def test_a_published_image_model_predicts_as_the_released_code_samples(files):
    task = PPD.from_pretrained("ppd-moge2")
    assert not task.training
    assert task.grid == tuple(released_grid(4))
    assert task.pixels == 1024 * 768
    assert isinstance(task.encoder.encoder, MoGe2)
    task.pixels = 64 * 64
    assert task.predict(torch.rand(1, 3, 50, 70), keys=["photo"]).shape == (1, 1, 50, 70)
    assert PPD.from_pretrained(files / "ppd_moge.pth", num_steps=2, pixels=None).pixels is None


@pytest.mark.usefixtures("files")
def test_a_published_video_model_predicts_clips():
    task = PPVD.from_pretrained("ppvd-pi3", num_steps=1, pixels=32 * 32)
    assert isinstance(task.encoder.encoder, Pi3)
    clip = list(task.predict_clip(torch.rand(3, 3, 40, 40), key="clip"))
    assert [code.shape for code in clip] == [(1, 40, 40)] * 3


@pytest.mark.usefixtures("files")
def test_a_network_of_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"PPD must be given a network of image, but .* of video"):
        PPD.from_pretrained("ppvd-pi3")
    with pytest.raises(ValueError, match=r"PPVD must be given a network of video, but .* of image"):
        PPVD.from_pretrained("ppd-moge2")


@pytest.fixture
def start(files):
    """A task whose initial weights are a file, and its setup before a stage."""

    def build(path, *, net=tiny_net, ckpt_path=None):
        encoder = MoGe2(files / "moge2.pt")
        task = PPD(encoder, net, initial_weights=path)
        task._trainer = SimpleNamespace(ckpt_path=ckpt_path)
        return task

    return build


@pytest.mark.parametrize("stage", ["fit", "test", "predict"])
def test_a_published_file_is_where_a_training_or_a_test_starts(stage, start, files):
    task = start(files / "ppd_moge.pth")
    task.setup(stage)
    assert same(task.net, PPD.from_pretrained("ppd-moge2").net)


def test_so_is_an_imported_one(start, files, tmp_path):
    out = tmp_path / "net.safetensors"
    import_weights(files / "ppd_moge.pth", name="ppd-moge2", out=out)
    task = start(out)
    task.setup("fit")
    assert same(task.net, PPD.from_pretrained("ppd-moge2").net)


def test_initial_weights_come_once_and_never_over_others(start, files):
    trained = start(files / "ppd_moge.pth")
    trained.setup("fit")
    torch.nn.init.ones_(trained.net.head.weight)
    trained.setup("test")
    assert (trained.net.head.weight == 1).all()

    loaded = start(files / "ppd_moge.pth")
    loaded.load_state_dict(trained.state_dict())
    loaded.setup("test")
    assert (loaded.net.head.weight == 1).all()

    resumed = start(files / "ppd_moge.pth", ckpt_path="last.ckpt")
    before = resumed.net.embed.noisy.weight.clone()
    resumed.setup("fit")
    assert torch.equal(resumed.net.embed.noisy.weight, before)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"positions": "sincos"}, r"positions of the network must be rotary for .*, got sincos"),
        ({"split": 1}, r"split of the network must be 2 for .*, got 1"),
        ({"prediction": "clean"}, r"prediction of the network must be velocity for .*, got clean"),
        ({"width": 64}, r"width of the network must be 32 for .*, got 64"),
        ({"depth": 6, "split": 2}, r"depth of the network must be 4 for .*, got 6"),
        ({"mlp_ratio": 2.0}, r"must have the shapes of this CascadeDiT"),
    ],
)
def test_initial_weights_of_another_network_are_refused(changes, sentence, start, files):
    task = start(files / "ppd_moge.pth", net=functools.partial(tiny_net, **changes))
    with pytest.raises(ValueError, match=sentence):
        task.setup("fit")


def test_an_unprompted_network_does_not_take_them(files):
    task = PPD(NoSemantics(), tiny_net, initial_weights=files / "ppd_moge.pth")
    task._trainer = SimpleNamespace(ckpt_path=None)
    with pytest.raises(ValueError, match=r"semantic_width of the network must be 1024 for .* 0"):
        task.setup("fit")
