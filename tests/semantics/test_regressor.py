import torch

from ppvd.semantics import ClipEncoder, ViT, ViTEncoder, ViTRegressor


def regressor():
    torch.manual_seed(0)
    return ViTRegressor(ViTEncoder(ViT(width=32, depth=2, num_heads=2, patch=4, grid=4)))


def test_code_has_the_size_of_the_image():
    network = regressor()
    assert network.divisor == 4
    assert network(torch.rand(2, 3, 8, 16)).shape == (2, 1, 8, 16)


def test_head_writes_each_cell_row_by_row():
    network = regressor()
    torch.nn.init.zeros_(network.head.weight)
    network.head.bias.data = torch.arange(16.0)
    cell = torch.arange(16.0).view(4, 4)
    assert torch.equal(network(torch.rand(1, 3, 8, 8))[0, 0], cell.repeat(2, 2))


def test_frames_and_clips_are_seen_by_either_kind_of_encoder():
    clip = torch.rand(2, 3, 3, 8, 16)
    frames = regressor()
    codes = frames(clip)
    torch.testing.assert_close(codes[:, 1], frames(clip[:, 1]))
    clips = ViTRegressor(ClipEncoder(ViT(width=32, depth=1, num_heads=2, patch=4, grid=4)))
    assert clips(clip).shape == codes.shape == (2, 3, 1, 8, 16)
    torch.testing.assert_close(clips(clip[:, 0]), clips(clip[:, :1])[:, 0])


def test_learns_where_the_image_is_bright():
    network = regressor()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    image = torch.rand(8, 3, 4, 4).repeat_interleave(4, -1).repeat_interleave(4, -2)
    target = image.mean(1, keepdim=True)
    losses = []
    for _ in range(60):
        loss = (network(image) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.05 * losses[0]
