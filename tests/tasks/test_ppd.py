import functools
from types import SimpleNamespace

import pytest
import torch

from ppvd.flow import heun, uniform_grid
from ppvd.losses import FeatureAlignment, GradientMatching, VelocityError
from ppvd.nn import CascadeDiT
from ppvd.semantics import NoSemantics, ViT, ViTEncoder
from ppvd.tasks import PPD

small_net = functools.partial(CascadeDiT, width=16, depth=2, num_heads=2, patch=4)


def encoder():
    torch.manual_seed(1)
    return ViTEncoder(ViT(width=16, depth=1, num_heads=2, patch=8, grid=2))


def task(*, awake=True, **options):
    torch.manual_seed(0)
    made = PPD(options.pop("encoder", None) or encoder(), small_net, **options)
    if awake:  # At its start the network puts out zero, whatever it is given.
        for parameter in made.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    made.logged = {}
    made.log = lambda name, value, **_: made.logged.update({name: value})
    made.log_dict = lambda values, **_: made.logged.update(values)
    made._fabric = None
    return made


def test_the_loss_is_the_weighted_sum_of_the_logged_terms(batch):
    ppd = task(
        losses={"velocity": VelocityError(), "gradient": GradientMatching()},
        weights={"gradient": 0.2},
    )
    loss = ppd.training_step(batch, 0)
    terms = ppd.logged
    expected = terms["train/velocity"] + 0.2 * terms["train/gradient"]
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(terms["train/loss"], expected)


def test_at_its_start_the_loss_is_the_mean_square_of_the_velocity(batch):
    ppd = task(awake=False)
    torch.manual_seed(5)
    loss = ppd.training_step(batch, 0)
    torch.manual_seed(5)
    ppd.times(3, device=torch.device("cpu"))
    code, _ = ppd.codec.encode(batch["depth"], batch["valid"], sky=batch["sky"])
    mask = batch["valid"] | batch["sky"]
    torch.testing.assert_close(loss, (torch.randn_like(code) - code)[mask].square().mean())


def test_the_gradient_reaches_every_parameter_and_the_encoder_has_none(batch):
    ppd = task(losses={"velocity": VelocityError(), "repa": FeatureAlignment(tap=0)})
    ppd.training_step(batch, 0).backward()
    without = [name for name, p in ppd.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []
    assert not any("encoder" in name for name in ppd.state_dict())
    assert not any(p.requires_grad for p in ppd.encoder.encoder.parameters())


def test_a_prediction_depends_on_neither_the_batch_nor_the_global_generator(batch):
    ppd = task().eval()
    together = ppd.predict(batch["image"], keys=batch["key"])
    torch.manual_seed(99)
    alone = ppd.predict(batch["image"][1:2], keys=["b"])
    torch.testing.assert_close(together[1:2], alone, rtol=1e-5, atol=1e-6)
    other = ppd.predict(batch["image"][1:2], keys=["c"])
    assert (other - alone).abs().max() > 1e-3


def test_several_samples_are_averaged(batch):
    ppd = task().eval()
    first = ppd.predict(batch["image"], keys=batch["key"])
    ppd.num_samples = 2
    both = ppd.predict(batch["image"], keys=batch["key"])
    assert (both - first).abs().max() > 1e-3


@pytest.mark.parametrize("size", [(16, 24), (17, 23), (50, 9)])
def test_any_photo_comes_back_at_its_own_size(size):
    code = task().eval().predict(torch.rand(1, 3, *size), keys=["photo"])
    assert code.shape == (1, 1, *size)
    assert torch.isfinite(code).all()


def test_pixels_sets_the_area_the_network_looks_at(monkeypatch):
    ppd = task(pixels=16 * 16).eval()
    seen = []
    plain = ppd.predict_code
    monkeypatch.setattr(
        ppd,
        "predict_code",
        lambda image, *, keys: seen.append(image.shape) or plain(image, keys=keys),
    )
    ppd.predict(torch.rand(1, 3, 64, 64), keys=["photo"])
    assert seen == [(1, 3, 16, 16)]


def test_every_solver_and_an_unprompted_network_predict(batch):
    ppd = task(encoder=NoSemantics(), solver=heun, grid=uniform_grid, num_steps=2).eval()
    assert ppd.predict(batch["image"], keys=batch["key"]).shape == (3, 1, 16, 24)


def test_weights_of_an_unknown_loss_are_refused():
    with pytest.raises(
        ValueError, match=r"weights must name losses \['velocity'\], got \['gradint'\]"
    ):
        task(weights={"gradint": 0.2})


def test_no_sample_is_refused():
    with pytest.raises(ValueError, match="num_samples must be at least 1, got 0"):
        task(num_samples=0)


def test_two_feature_alignments_are_refused():
    with pytest.raises(ValueError, match="one FeatureAlignment"):
        task(losses={"a": FeatureAlignment(tap=0), "b": FeatureAlignment(tap=1)})


def test_a_size_of_data_that_the_network_cannot_look_at_is_refused_before_the_first_batch():
    model = task()
    model._trainer = SimpleNamespace(datamodule=SimpleNamespace(size=(32, 36)))
    with pytest.raises(
        ValueError, match=r"data.init_args.size must be divisible by 8 .*\(32, 36\)"
    ):
        model.on_fit_start()
    model._trainer = SimpleNamespace(datamodule=SimpleNamespace(size=(32, 40)))
    model.on_fit_start()
