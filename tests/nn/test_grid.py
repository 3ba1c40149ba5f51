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


def test_sizes():
    grid = TokenGrid(2, 3).split(2)
    assert (grid.height, grid.width, grid.num_tokens) == (4, 6, 24)
