import torch
from torch.nn import functional as F

from ppvd.nn import Block, Branches, Modulator
from ppvd.nn.block import gelu
from ppvd.nn.modulation import modulated_norm


def test_a_closed_gate_makes_a_block_the_identity():
    block, tokens = Block(16, 2, 32), torch.randn(2, 6, 16)
    closed = (torch.randn(2, 1, 16), torch.randn(2, 1, 16), torch.zeros(2, 1, 16))
    assert torch.equal(block(tokens, Branches(closed, closed)), tokens)


def test_an_open_gate_adds_what_its_branch_computes():
    block, tokens = Block(16, 2, 32), torch.randn(2, 6, 16)
    shift, scale, gate = torch.randn(3, 2, 1, 16)
    closed = (shift, scale, torch.zeros(2, 1, 16))
    normed = F.layer_norm(tokens, (16,), eps=1e-6) * scale + shift
    torch.testing.assert_close(
        block(tokens, Branches((shift, scale, gate), closed)),
        tokens + gate * block.attention(normed, None),
    )
    torch.testing.assert_close(
        block(tokens, Branches(closed, (shift, scale, gate))), tokens + gate * block.mlp(normed)
    )


def test_gelu_is_the_tanh_form_and_in_bfloat16_the_exact_one_within_5e_4():
    hidden = torch.linspace(-6, 6, 1001)
    tanh = 0.5 * hidden * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (hidden + 0.044715 * hidden**3)))
    torch.testing.assert_close(gelu(hidden), tanh, rtol=1e-5, atol=1e-6)
    rounded = hidden.bfloat16()
    assert torch.equal(gelu(rounded), F.gelu(rounded))
    assert (F.gelu(hidden) - tanh).abs().max() < 5e-4


def test_the_norm_of_tokens_adds_the_released_epsilon():
    tokens = 1e-3 * torch.randn(1, 3, 8)
    centred = tokens - tokens.mean(-1, keepdim=True)
    expected = centred / (tokens.var(-1, correction=0, keepdim=True) + 1e-6).sqrt()
    one, zero = torch.ones(1, 1, 8), torch.zeros(1, 1, 8)
    torch.testing.assert_close(modulated_norm(tokens, zero, one), expected)


def test_both_ways_of_modulating_agree():
    tokens, shift, scale = torch.randn(2, 5, 8), *torch.randn(2, 1, 1, 8)
    with torch.no_grad():
        once = modulated_norm(tokens, shift, scale)
    each = modulated_norm(tokens, shift.expand(2, 1, 8), scale.expand(2, 1, 8))
    torch.testing.assert_close(once, each)


def test_one_row_of_a_grid_of_times_is_the_modulation_of_that_time():
    modulator = Modulator(8, 2)
    torch.nn.init.normal_(modulator.out.weight)
    times = torch.tensor([1.0, 0.6, 0.2])
    row, alone = modulator(times)[1], modulator(times[1:2])
    for name in ("shift", "scale", "gate"):
        torch.testing.assert_close(getattr(row, name), getattr(alone, name))


def test_a_temporal_block_has_the_modulation_of_its_own_rows():
    modulator = Modulator(8, 3, num_temporal=2)
    for matrix in (modulator.out, modulator.temporal):
        torch.nn.init.normal_(matrix.weight)
    time = torch.tensor([0.3])
    (_, nothing), (_, first), (_, second) = modulator(time).blocks()
    rows = modulator.temporal(F.silu(modulator.embed(time))).view(2, 2, 3, 8)
    assert nothing is None
    for place, temporal in enumerate((first, second)):
        for branch, (shift, scale, gate) in zip(rows[place], temporal, strict=True):
            torch.testing.assert_close(torch.cat([shift, scale - 1, gate], 1)[0], branch)


def test_modulation_is_float32_under_autocast():
    modulator = Modulator(8, 2)
    torch.nn.init.normal_(modulator.out.weight)
    time = torch.tensor([0.3])
    plain = modulator(time)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(modulator(time).shift, plain.shift)
