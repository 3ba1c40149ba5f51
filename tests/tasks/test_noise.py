import torch

from ppvd.tasks.noise import keyed_noise


def test_noise_depends_on_the_key_and_not_on_its_neighbours():
    together = keyed_noise(["a", "b", "c"], (6, 5), seed=1)
    alone = keyed_noise(["b"], (6, 5), seed=1)
    torch.testing.assert_close(together[1:2], alone, rtol=0, atol=0)


def test_keys_seeds_and_draws_differ():
    base = keyed_noise(["a"], (8, 8), seed=0)
    others = [
        keyed_noise(["b"], (8, 8), seed=0),
        keyed_noise(["a"], (8, 8), seed=1),
        keyed_noise(["a"], (8, 8), seed=0, draw=1),
    ]
    assert all((base - other).abs().min() > 0 for other in others)


def test_noise_is_standard_normal():
    noise = keyed_noise([str(i) for i in range(50)], (32, 32), seed=0)
    assert noise.shape == (50, 1, 32, 32)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    keyed_noise(["a"], (4, 4), seed=3)
    assert torch.rand(1) == expected
