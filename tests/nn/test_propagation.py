import copy

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ppvd.nn import Block, Branches, Propagation, Stage, TokenGrid, rotary
from ppvd.nn.positions import Rotary

CPU = torch.device("cpu")
WIDTH, HEADS, POOL = 16, 2, 2
GRID = TokenGrid(2, 3).split(2)


@pytest.fixture
def block():
    torch.manual_seed(0)
    block = Block(WIDTH, HEADS, 32, propagation=Propagation((0, 2), pool=POOL))
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return block


def _stage(positions, grid=GRID):
    if positions == "sincos":
        return Stage(grid, None)
    head_dim = WIDTH // HEADS
    return Stage(grid, rotary(grid, head_dim, CPU), rotary(grid, head_dim, CPU, pool=POOL))


def _modulation(clips=2):
    parts = torch.randn(2, 3, clips, 1, 1, WIDTH).unbind(0)
    return Branches(*(tuple(branch.unbind(0)) for branch in parts))


def _concatenated(block, tokens, own, stage):
    """What the released code does: whole blocks on frames with the references appended."""
    plain = copy.deepcopy(block)
    plain.propagation = None
    pooled = [stage.grid.pool(tokens[:, place], POOL) for place in block.propagation.references]
    longer, places = torch.cat([tokens[:, 0], *pooled], 1), None
    if stage.rotary is not None:
        shown = [stage.rotary, *[stage.reference_rotary] * len(pooled)]
        places = Rotary(torch.cat([r.cos for r in shown]), torch.cat([r.sin for r in shown]))
    frames = []
    for frame in tokens.unbind(1):
        longer = torch.cat([frame, *pooled], 1)[:, None]
        frames.append(plain(longer, own, Stage(stage.grid, places))[:, 0, : frame.shape[1]])
    return torch.stack(frames, 1)


@pytest.mark.parametrize("positions", ["rotary", "sincos"])
@pytest.mark.parametrize("num_frames", [3, 5])
def test_equals_blocks_on_frames_with_the_references_appended(block, positions, num_frames):
    tokens, own = torch.randn(2, num_frames, GRID.num_tokens, WIDTH), _modulation()
    stage = _stage(positions)
    expected = _concatenated(block, tokens, own, stage)
    torch.testing.assert_close(block(tokens, own, stage), expected, rtol=1e-4, atol=1e-5)


def test_gradients_equal_those_of_the_concatenated_computation(block):
    tokens, own, stage = torch.randn(2, 3, GRID.num_tokens, WIDTH), _modulation(), _stage("rotary")
    found, expected = tokens.clone().requires_grad_(), tokens.clone().requires_grad_()
    block(found, own, stage).square().sum().backward()
    _concatenated(block, expected, own, stage).square().sum().backward()
    torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-4)


def test_references_are_the_pooled_tokens_of_their_frames():
    tokens = torch.randn(2, 4, GRID.num_tokens, WIDTH)
    found = Propagation((3, 0), pool=POOL).gather(tokens, _stage("sincos")).tokens
    for slot, place in enumerate((3, 0)):
        pooled = F.avg_pool2d(GRID.to_map(tokens[:, place]), POOL)
        torch.testing.assert_close(found[:, slot], pooled.flatten(2).transpose(1, 2))


def test_a_clip_too_short_for_some_references_does_with_the_others():
    tokens = torch.randn(1, 2, GRID.num_tokens, WIDTH)
    some = Propagation((0, 1, 2), pool=POOL).gather(tokens, _stage("sincos"))
    both = Propagation((0, 1), pool=POOL).gather(tokens, _stage("sincos"))
    assert torch.equal(some.tokens, both.tokens)


def test_references_are_projected_once_a_clip_to_keys_and_values_alone(block):
    clips, frames, pooled = 2, 5, 2 * 6  # two references of 2 x 3 windows
    tokens, own = torch.randn(clips, frames, GRID.num_tokens, WIDTH), _modulation(clips)
    with torch.no_grad(), FlopCounterMode(display=False) as count:
        block(tokens, own, _stage("rotary"))
    projected = count.get_flop_counts()["Global"][torch.ops.aten.addmm]
    per_token = 4 * WIDTH**2 + 2 * WIDTH * 32  # query, key, value, out; MLP
    own_products = clips * frames * GRID.num_tokens * per_token
    assert projected == 2 * (own_products + clips * pooled * 2 * WIDTH**2)


def test_an_image_sees_no_references(block):
    tokens, own = torch.randn(2, GRID.num_tokens, WIDTH), _modulation()
    own = Branches(*(tuple(part.squeeze(1) for part in branch) for branch in own))
    without = copy.deepcopy(block)
    without.propagation = None
    stage = _stage("rotary")
    assert torch.equal(block(tokens, own, stage), without(tokens, own, stage))


def test_which_blocks_see_references():
    assert Propagation().first_block(24, 12) == 12  # the paper: all after the fusion
    assert Propagation(last_blocks=6).first_block(24, 12) == 18
    assert Propagation(last_blocks=24).first_block(24, 12) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"references": ()}, r"references must be different frames from 0 on, got \(\)"),
        ({"references": (0, -1)}, r"different frames from 0 on, got \(0, -1\)"),
        ({"references": (0, 0)}, r"different frames from 0 on, got \(0, 0\)"),
        ({"pool": 0}, "pool must be above 0, got 0"),
    ],
)
def test_impossible_references_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Propagation(**options)


@pytest.mark.parametrize("last_blocks", [0, 25])
def test_impossible_blocks_are_named(last_blocks):
    with pytest.raises(ValueError, match=rf"last_blocks must be in 1\.\.24, got {last_blocks}"):
        Propagation(last_blocks=last_blocks).first_block(24, 12)
