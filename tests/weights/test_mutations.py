"""What the released numbers can see: each mistake is far above their tolerance."""

import copy

import pytest
import torch
from torch import nn

from ppvd.nn import Propagation, Rotary, cascade, sincos
from ppvd.nn.modulation import NORM_EPS
from ppvd.weights import dit_names, image_dit, video_dit

TOLERANCE = 2e-5
FAR = 100 * TOLERANCE


def error(found, expected):
    return ((found - expected).abs().max() / expected.std()).item()


def _nothing(_):
    pass


@pytest.fixture
def image_error(golden, weights, inputs):
    """Error of a network of the image reference's weights, after mistakes in state or network."""
    reference = golden("dit_a")
    given = inputs(reference["in.x"], reference["in.semantics"], reference["in.timestep"])

    def measure(change=_nothing):
        net = image_dit(weights(reference))
        change(net)
        with torch.no_grad():
            return error(net(**given), reference["out.velocity"])

    return measure


def test_the_image_network_without_a_mistake(image_error):
    assert image_error() < TOLERANCE


def test_rows_and_columns_of_rotary_positions_swapped(image_error, monkeypatch):
    def swapped(*arguments, **options):
        places = rotary(*arguments, **options)
        halves = (
            part.unflatten(-1, (2, 2, -1)).flip(-2).flatten(-3) for part in vars(places).values()
        )
        return Rotary(*halves)

    rotary = cascade.rotary
    monkeypatch.setattr(cascade, "rotary", swapped)
    assert image_error() > FAR


def test_the_four_tokens_of_a_cell_transposed(image_error):
    def change(net):
        for kind in ("weight", "bias"):
            rows = getattr(net.fusion.out, kind).data
            rows.copy_(rows.clone().unflatten(0, (2, 2, -1)).transpose(0, 1).flatten(0, 2))

    assert image_error(change) > FAR


def test_tokens_and_features_concatenated_the_other_way(image_error, monkeypatch):
    def other(state):
        width = len(state["x_embedder.proj.bias"])
        swapped = state["proj_fusion.0.weight"].roll(width, 1)
        return fusion({**state, "proj_fusion.0.weight": swapped})

    fusion = dit_names._fusion
    monkeypatch.setattr(dit_names, "_fusion", other)
    assert image_error() > FAR


def test_rotary_pairs_left_as_released(image_error, monkeypatch):
    monkeypatch.setattr(dit_names, "_pair_across_head", lambda rows, _: rows)
    assert image_error() > FAR


def test_the_epsilons_are_the_released_ones(golden, weights):
    """Their effect is too small for the numbers to show."""
    for net in (image_dit(weights(golden("dit_a"))), video_dit(weights(golden("dit_video_a")))):
        norms = [part for part in net.modules() if isinstance(part, nn.LayerNorm)]
        assert len(norms) == 2 * sum(hasattr(part, "qkv") for part in net.modules()) > 0
        assert {norm.eps for norm in norms} == {1e-5}
    assert NORM_EPS == 1e-6


@pytest.fixture(scope="module")
def clip():
    """A clip smaller than the reference's, so that each mistake costs little."""
    generator = torch.Generator().manual_seed(0)
    return {
        "noisy": torch.randn(1, 5, 1, 64, 96, generator=generator),
        "image": torch.rand(1, 5, 3, 64, 96, generator=generator),
        "time": torch.tensor([0.75]),
        "features": torch.randn(1, 5, 2048, 4, 6, generator=generator),
    }


@pytest.fixture
def video_error(golden, weights, clip):
    """Difference that mistakes make to the network of the video reference's weights."""
    net = video_dit(weights(golden("dit_video_a")))
    with torch.no_grad():
        expected = net(**clip)

    def measure(change=_nothing):
        changed = copy.deepcopy(net)
        change(changed)
        with torch.no_grad():
            return error(changed(**clip), expected)

    return measure


def test_the_video_network_without_a_mistake(video_error):
    assert video_error() == 0


def _without_temporal(net):
    net.blocks[22].temporal = None


def _swapped_temporal(net):
    first, second = net.blocks[21], net.blocks[22]
    first.temporal, second.temporal = second.temporal, first.temporal


def _without_references(net):
    for block in net.blocks:
        block.propagation = None


def _one_block_fewer(net):
    net.blocks[18].propagation = None


def _other_frames(net):
    for block in net.blocks[18:]:
        block.propagation = Propagation((0, 1, 3))


def _other_pool(net):
    for block in net.blocks[18:]:
        block.propagation = Propagation(pool=2)


@pytest.mark.parametrize(
    "mistake",
    [
        _without_temporal,
        _swapped_temporal,
        _without_references,
        _one_block_fewer,
        _other_frames,
        _other_pool,
    ],
)
def test_a_mistake_in_how_frames_meet(mistake, video_error):
    assert video_error(mistake) > FAR


@pytest.mark.parametrize(
    "mistake",
    [torch.zeros_like, lambda pooled: pooled.flip(-1)],
    ids=["zero", "channels flipped"],
)
def test_a_mistake_in_the_references(mistake, video_error, monkeypatch):
    pool = cascade.TokenGrid.pool
    monkeypatch.setattr(
        cascade.TokenGrid, "pool", lambda grid, tokens, size: mistake(pool(grid, tokens, size))
    )
    assert video_error() > FAR


def test_references_strided_instead_of_averaged(video_error, monkeypatch):
    def strided(grid, tokens, size):
        return grid.to_map(tokens)[..., ::size, ::size].flatten(-2).transpose(-1, -2)

    monkeypatch.setattr(cascade.TokenGrid, "pool", strided)
    assert video_error() > FAR


def test_positions_with_rows_and_columns_swapped(video_error, monkeypatch):
    def swapped(grid, width, device):
        return sincos(grid, width, device).roll(width // 2, 1)

    monkeypatch.setattr(cascade, "sincos", swapped)
    assert video_error() > FAR
