import pytest
import torch

from ppvd.nn import TokenGrid, patchify

CPU = torch.device("cpu")


def test_painting_undoes_cutting_into_patches():
    image = torch.randn(2, 1, 6, 9)
    patches = patchify(image, 3)
    assert patches.shape == (2, 6, 9)
    assert torch.equal(TokenGrid(2, 3).paint(patches, 3), image)


def test_patches_hold_channels_then_rows_then_columns():
    image = torch.arange(2 * 4 * 6.0).view(1, 2, 4, 6)
    patches = patchify(image, 2)
    assert torch.equal(patches[0, 1], image[0, :, :2, 2:4].flatten())


def test_coordinates_tell_where_each_token_is_painted_and_mapped():
    grid = TokenGrid(2, 3).split(2)
    row, col = grid.coordinates(CPU)
    tokens = torch.stack([row, col], 1)[None]  # every token carries its own place
    there = torch.stack(torch.meshgrid(torch.arange(4.0), torch.arange(6.0), indexing="ij"))
    assert torch.equal(grid.to_map(tokens)[0], there)
    assert torch.equal(grid.paint(tokens[..., :1], 1)[0, 0], there[0])
    assert torch.equal(grid.paint(tokens[..., 1:], 1)[0, 0], there[1])


def test_split_tokens_stay_beside_each_other_row_by_row():
    row, col = TokenGrid(2, 3).split(2).coordinates(CPU)
    assert row[4:8].tolist() == [0, 0, 1, 1]
    assert col[4:8].tolist() == [2, 3, 2, 3]


@pytest.mark.parametrize("grid", [TokenGrid(5, 7), TokenGrid(3, 5).split(2)])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pooling_averages_windows_row_by_row_and_what_is_left_at_the_end(grid, size):
    tokens = torch.randn(2, 3, grid.num_tokens, 4)
    maps = grid.to_map(tokens)
    windows = [
        maps[..., top : top + size, left : left + size].mean((-2, -1))
        for top in range(0, grid.height, size)
        for left in range(0, grid.width, size)
    ]
    torch.testing.assert_close(grid.pool(tokens, size), torch.stack(windows, -2))


def test_a_window_lies_at_the_centre_of_its_tokens():
    row, col = TokenGrid(5, 3).split(2).pooled_coordinates(4, CPU)
    assert row.tolist() == [1.5, 1.5, 5.5, 5.5, 8.5, 8.5]
    assert col.tolist() == [1.5, 4.5] * 3


def test_leading_axes_stay():
    image, grid = torch.randn(2, 3, 1, 4, 6), TokenGrid(2, 3)
    patches = patchify(image, 2)
    assert patches.shape == (2, 3, 6, 4)
    assert torch.equal(patches[1, 2], patchify(image[1, 2:], 2)[0])
    assert torch.equal(grid.paint(patches, 2), image)
    assert torch.equal(grid.to_map(patches)[1, 2], grid.to_map(patches[1, 2:])[0])


def test_sizes():
    grid = TokenGrid(2, 3).split(2)
    assert (grid.height, grid.width, grid.num_tokens) == (4, 6, 24)
