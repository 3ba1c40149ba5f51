import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ppvd.geometry import Alignment, DisparityCodec, LogDepthCodec
from ppvd.metrics import DepthErrors, EdgeChamfer, ThroughAutoencoder, through_autoencoder


class Blur(nn.Module):
    """Halves pictures and doubles them again: what a latent of few channels does to edges."""

    def encode(self, picture):
        return F.avg_pool2d(picture, 2)

    def decode(self, latent):
        return F.interpolate(latent, scale_factor=2, mode="bilinear")


class Diffusers(nn.Module):
    """The same interface as diffusers' AutoencoderKL, around a lossless convolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        nn.init.dirac_(self.conv.weight)

    class Box:
        def __init__(self, **values):
            self.__dict__.update(values)

    def encode(self, picture):
        return self.Box(latent_dist=self.Box(mode=lambda: 0.5 * self.conv(picture)))

    def decode(self, latent):
        return self.Box(sample=2.0 * latent)


def scene(batch=2, *, height=13, width=22):
    depth = torch.full((batch, 1, height, width), 2.0)
    depth[..., 11:] = 5.0
    k = torch.tensor([[20.0, 0.0, 10.0], [0.0, 20.0, 6.0], [0.0, 0.0, 1.0]])
    return {
        "depth": depth,
        "valid": torch.ones_like(depth).bool(),
        "intrinsics": k.expand(batch, 3, 3),
    }


def score(autoencoder, *, metric=None, **settings):
    found = ThroughAutoencoder(metric or DepthErrors(), autoencoder, **settings)
    found.update(**scene())
    return found.compute()


def test_a_lossless_autoencoder_scores_perfectly_by_either_interface():
    class Same(nn.Module):
        encode = decode = staticmethod(lambda picture: picture)

    for autoencoder in (Same(), Diffusers()):
        assert score(autoencoder)["abs_rel"] < 1e-6
        assert score(autoencoder, metric=EdgeChamfer())["chamfer"] < 1e-5


def test_a_blurring_autoencoder_flies_at_edges():
    assert score(Blur())["abs_rel"] > 1e-3
    assert score(Blur(), metric=EdgeChamfer())["acc"] > 0.05


def test_codes_come_back_in_their_size_and_pictures_are_grey_in_range():
    seen = []

    class Watch(nn.Module):
        def encode(self, picture):
            seen.append(picture)
            return picture

        def decode(self, latent):
            return latent

    code = torch.rand(2, 1, 13, 22) - 0.5
    torch.testing.assert_close(through_autoencoder(code, Watch()), code)
    (picture,) = seen
    assert picture.shape == (2, 3, 16, 24)
    assert picture.min() >= -1.0
    assert picture.max() > 0.9
    assert torch.equal(picture[:, 0], picture[:, 2])


def test_clips_go_through_frame_by_frame_in_any_codec():
    clip = {name: value[None] for name, value in scene().items()}
    metric = DepthErrors(Alignment(space="disparity"))
    harness = ThroughAutoencoder(metric, Diffusers(), codec=DisparityCodec())
    harness.update(**clip)
    assert harness.compute()["abs_rel"] < 1e-6
    harness.reset()
    harness.update(**scene())
    harness.update(**scene())
    assert metric.update_count == 2
    assert isinstance(ThroughAutoencoder(DepthErrors(), Blur()).codec, LogDepthCodec)


def test_the_autoencoder_is_frozen():
    harness = ThroughAutoencoder(DepthErrors(), Diffusers())
    assert not any(p.requires_grad for p in harness.autoencoder.parameters())
    assert not harness.autoencoder.training


def test_what_is_no_autoencoder_is_named():
    with pytest.raises(ValueError, match="autoencoder must have encode and decode, got Identity"):
        ThroughAutoencoder(DepthErrors(), nn.Identity())

    class Strange(Blur):
        def encode(self, picture):  # noqa: ARG002
            return "latent"

    with pytest.raises(ValueError, match="encode must return a tensor, or an object with"):
        score(Strange())

    class Stranger(Blur):
        def decode(self, latent):  # noqa: ARG002
            return None

    with pytest.raises(ValueError, match="decode must return a tensor or an object with"):
        score(Stranger())
