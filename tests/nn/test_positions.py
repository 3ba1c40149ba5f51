from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ppvd.nn import TokenGrid, rotary, sincos

GOLDEN = Path(__file__).parents[1] / "golden" / "released"
CPU = torch.device("cpu")


def _quarters_swapped(heads):
    """Exchange the middle quarters of a head: the released pairing for ours and back."""
    return heads.unflatten(-1, (2, 2, -1)).transpose(-3, -2).flatten(-3)


@pytest.mark.parametrize(("case", "rows", "cols"), [("a", 5, 7), ("b", 6, 4)])
def test_matches_the_released_rotary_positions(case, rows, cols):
    golden = load_file(GOLDEN / "rope_temb_a.safetensors")
    query = golden[f"in.{case}.q"]  # (B, heads, N, d)
    places = rotary(TokenGrid(rows, cols), query.shape[-1], CPU)
    turned = places.turn(_quarters_swapped(query).transpose(1, 2)).transpose(1, 2)
    expected = golden[f"out.{case}.rope"]
    assert (_quarters_swapped(turned) - expected).abs().max() < 2e-5 * expected.std()


def test_a_product_of_turned_vectors_depends_on_their_offset_alone():
    query, key = torch.randn(2, 1, 1, 1, 8)
    places = rotary(TokenGrid(5, 6), 8, CPU)
    everywhere = (1, 30, 1, 8)
    product = torch.einsum(
        "bmhd,bnhd->mn",
        places.turn(query.expand(everywhere)),
        places.turn(key.expand(everywhere)),
    ).view(5, 6, 5, 6)
    torch.testing.assert_close(product[0, 1, 2, 2], product[2, 4, 4, 5])
    assert not torch.isclose(product[0, 1, 2, 2], product[0, 1, 1, 3])


def test_split_tokens_turn_by_their_own_row_and_column():
    plain, split = (rotary(grid, 8, CPU) for grid in (TokenGrid(4, 6), TokenGrid(2, 3, 2)))
    row, col = (axis.int() for axis in TokenGrid(2, 3, 2).coordinates(CPU))
    assert torch.equal(split.sin, plain.sin[row * 6 + col])


@pytest.mark.parametrize("width", [64, 1024])
def test_matches_the_released_sine_cosine_table(width):
    golden = load_file(GOLDEN / f"sincos_pos_embed_{width}.safetensors")
    table = sincos(TokenGrid(32, 32), width, CPU)[golden["in.rows"]]
    assert torch.equal(table, golden["out.pos_embed_rows"])


def test_a_window_turns_by_its_centre():
    pooled = rotary(TokenGrid(4, 6), 8, CPU, pool=2)
    every = rotary(TokenGrid(4, 6), 8, CPU)
    angles = torch.atan2(every.sin, every.cos)[[0, 1, 6, 7]].mean(0)  # of the first window
    torch.testing.assert_close(torch.atan2(pooled.sin, pooled.cos)[0], angles)


def test_a_table_is_built_once_for_a_grid():
    first, second = (rotary(TokenGrid(3, 4), 16, CPU) for _ in range(2))
    assert first is second
    assert sincos(TokenGrid(3, 4), 16, CPU) is sincos(TokenGrid(3, 4), 16, CPU)


def test_a_table_first_met_in_inference_mode_serves_training_after():
    with torch.inference_mode():
        places = rotary(TokenGrid(13, 2), 4, CPU)
        table = sincos(TokenGrid(13, 2), 4, CPU)
    assert not places.cos.is_inference()
    assert not table.is_inference()
