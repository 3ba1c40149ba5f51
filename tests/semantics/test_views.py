import pytest
import torch

from ppvd.nn import TokenGrid
from ppvd.semantics import VGGT, Pi3, ViewSize, ViTSize
from ppvd.semantics.views import places

SIZE = ViewSize(
    backbone=ViTSize(width=32, depth=1, num_heads=2, grid=3, num_registers=4), num_pairs=2
)


def drawn(kind):
    torch.manual_seed(0)
    encoder = kind(size=SIZE)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return encoder


def clip(num_frames=3):
    return torch.rand(1, num_frames, 3, 32, 48, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_the_order_of_frames_does_not_matter_to_pi3():
    encoder, order = drawn(Pi3), [2, 0, 1]
    torch.testing.assert_close(
        encoder(clip()[:, order]), encoder(clip())[:, order], atol=1e-3, rtol=1e-3
    )


@torch.no_grad()
def test_the_first_frame_alone_is_special_to_vggt():
    encoder = drawn(VGGT)
    features = encoder(clip())
    torch.testing.assert_close(
        encoder(clip()[:, [0, 2, 1]]), features[:, [0, 2, 1]], atol=1e-3, rtol=1e-3
    )
    other_first = encoder(clip()[:, [1, 0, 2]])
    assert (other_first - features[:, [1, 0, 2]]).abs().max() > 0.1 * features.std()


@pytest.mark.parametrize("kind", [Pi3, VGGT])
@torch.no_grad()
def test_frames_listen_to_each_other(kind):
    encoder, changed = drawn(kind), clip()
    changed[:, 2] = 0
    features, after = encoder(clip()), encoder(changed)
    half = features.shape[2] // 2
    assert ((after - features)[:, 0].abs().amax((0, 2, 3)) > 1e-3).sum() > half / 2


@pytest.mark.parametrize("kind", [Pi3, VGGT])
@torch.no_grad()
def test_the_first_half_of_the_features_is_the_inner_block_s(kind):
    encoder = drawn(kind)
    inner, outer = list(encoder.pairs)[-1]
    for block in (inner, outer):
        for gain in (block.ls1, block.ls2):
            torch.nn.init.zeros_(gain.gamma)
    features = encoder(clip())
    torch.testing.assert_close(*features.chunk(2, dim=2))  # nothing happens in the last pair
    torch.nn.init.ones_(outer.ls2.gamma)
    torch.testing.assert_close(encoder(clip()).chunk(2, dim=2)[0], features.chunk(2, dim=2)[0])


@pytest.mark.parametrize("kind", [Pi3, VGGT])
@torch.no_grad()
def test_one_frame_is_a_clip(kind):
    assert drawn(kind)(clip(1)).shape == (1, 1, 64, 2, 3)


@pytest.mark.parametrize("kind", [Pi3, VGGT])
def test_an_image_without_frames_is_refused(kind):
    with pytest.raises(ValueError, match=r"must be a clip \(B, T, 3, H, W\), got \(1, 3, 32, 48\)"):
        drawn(kind)(clip()[:, 0])


@pytest.mark.parametrize("kind", [Pi3, VGGT])
def test_every_weight_learns(kind):
    encoder = drawn(kind)
    encoder(clip()).square().sum().backward()
    idle = [n for n, p in encoder.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle


def test_patches_begin_at_one_and_special_tokens_stay_at_zero():
    table = places(TokenGrid(2, 3), 5, 16, torch.device("cpu"))
    assert table.cos.shape == (11, 1, 16)
    assert (table.cos[:5] == 1).all()
    assert (table.sin[:5] == 0).all()
    rows, cols = torch.tensor([1, 1, 1, 2, 2, 2.0]), torch.tensor([1, 2, 3, 1, 2, 3.0])
    torch.testing.assert_close(table.cos[5:, 0, 0], rows.cos())  # the fastest pair of each axis
    torch.testing.assert_close(table.cos[5:, 0, 4], cols.cos())
    torch.testing.assert_close(table.sin[5:, 0, 12], cols.sin())


@pytest.mark.parametrize("kind", [Pi3, VGGT])
@torch.no_grad()
def test_compiles_without_a_graph_break(kind):
    encoder = drawn(kind)
    compiled = torch.compile(encoder, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(clip()), encoder(clip()), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", [Pi3, VGGT])
@torch.no_grad()
def test_half_precision_stays_close(kind):
    encoder = drawn(kind)
    expected = encoder(clip())
    with torch.autocast("cpu", torch.bfloat16):
        found = encoder(clip())
    assert (found - expected).abs().mean() < 0.05 * expected.abs().mean()
