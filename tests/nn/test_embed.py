from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from ppvd.nn.embed import PatchEmbed, TimeEmbedding, time_features

GOLDEN = Path(__file__).parents[1] / "golden" / "released"


def test_matches_the_released_time_features():
    golden = load_file(GOLDEN / "rope_temb_a.safetensors")
    features = time_features(golden["in.t"] / 1000)
    torch.testing.assert_close(features, golden["out.timestep_embedding_256"], rtol=0, atol=1e-4)


def test_the_two_halves_are_one_convolution_of_depth_and_centred_image():
    embed = PatchEmbed(8, 4)
    noisy, image = torch.randn(2, 1, 8, 12), torch.rand(2, 3, 8, 12)
    kernel = torch.cat(
        [embed.noisy.weight.view(8, 1, 4, 4), embed.image.weight.view(8, 3, 4, 4)], 1
    )
    whole = F.conv2d(torch.cat([noisy, image - 0.5], 1), kernel, embed.noisy.bias, stride=4)
    halves = embed.embed_noisy(noisy) + embed.embed_image(image)
    torch.testing.assert_close(halves, whole.flatten(2).transpose(1, 2), rtol=1e-5, atol=1e-5)


def test_time_is_embedded_in_float32_under_autocast():
    embed, time = TimeEmbedding(8), torch.tensor([0.1234, 0.9])
    torch.nn.init.normal_(embed.out.weight)
    with torch.autocast("cpu", torch.bfloat16):
        assert time_features(time).dtype is torch.float32
        assert torch.equal(time_features(time), time_features(time.double().float()))


def test_the_gain_is_on_the_images_half_alone():
    torch.manual_seed(0)
    plain = PatchEmbed(8, 4)
    torch.manual_seed(0)
    louder = PatchEmbed(8, 4, image_gain=4.0)
    torch.testing.assert_close(louder.image.weight, 4.0 * plain.image.weight)
    torch.testing.assert_close(louder.noisy.weight, plain.noisy.weight)
