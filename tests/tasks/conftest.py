import pytest
import torch


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    depth = 1 + 9 * torch.rand(3, 1, 16, 24, generator=generator)
    sky = torch.zeros_like(depth, dtype=torch.bool)
    sky[:, :, :4] = True
    valid = ~sky
    valid[0, :, 8:, :3] = False
    return {
        "image": torch.rand(3, 3, 16, 24, generator=generator),
        "depth": depth * valid,
        "valid": valid,
        "sky": sky,
        "intrinsics": torch.tensor([[20.0, 0, 12], [0, 20, 8], [0, 0, 1]]).repeat(3, 1, 1),
        "pose": torch.eye(4).repeat(3, 1, 1),
        "key": ["a", "b", "c"],
        "source": ["rooms"] * 3,
    }
