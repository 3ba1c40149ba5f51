"""Operations are counted as PyTorch counts them, and MFU leaves out what is computed again."""

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

from ppvd.callbacks.model_flops import Flops, ModelFlops, peak_flops, product_dtype
from ppvd.nn import CascadeDiT


def test_a_product_and_a_sum_are_two():
    with Flops() as flops:
        torch.zeros(3, 4) @ torch.zeros(4, 5)
    assert flops.total == 2 * 3 * 4 * 5


def test_attention_on_a_cpu_is_two_products():
    query = torch.zeros(2, 3, 7, 8)
    with Flops() as flops:
        scaled_dot_product_attention(query, query, query)
    assert flops.total == 2 * (2 * 2 * 3 * 7 * 7 * 8)


def test_a_step_is_counted_as_by_pytorch():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 4 * 4, 2))
    image = torch.zeros(2, 3, 6, 6)
    with FlopCounterMode(display=False) as theirs:
        net(image).sum().backward()
    with Flops() as ours:
        net(image).sum().backward()
    assert ours.total == theirs.get_total_flops() > 0


def test_what_is_frozen_counts_once_and_what_learns_three_times():
    layer, rows = nn.Linear(4, 5, bias=False), torch.zeros(3, 4)
    with ModelFlops() as flops:
        with torch.no_grad():
            layer(rows)
        layer(rows)
    assert flops.total == (1 + 3) * 2 * 3 * 4 * 5


def test_what_is_computed_again_does_not_count():
    counts = []
    for checkpoint_blocks in (0, 2):
        net = CascadeDiT(
            0, width=16, depth=2, num_heads=2, patch=2, checkpoint_blocks=checkpoint_blocks
        )
        image, time = torch.zeros(1, 3, 8, 8), torch.zeros(1)
        with ModelFlops() as model:
            velocity = net(image[:, :1], image, time, None)
        velocity.sum().backward()
        counts.append(model.total)
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("bf16-mixed", torch.bfloat16),
        ("16-mixed", torch.float16),
        ("32-true", torch.float32),
        (32, torch.float32),
    ],
)
def test_the_precision_says_in_what_is_multiplied(precision, dtype):
    assert product_dtype(precision) == dtype


@pytest.mark.parametrize(
    ("name", "peak"),
    [("NVIDIA H200", 989.4e12), ("NVIDIA H100 80GB HBM3", 989.4e12), ("NVIDIA A100-SXM4", 312e12)],
)
def test_peaks_are_those_of_dense_products(name, peak, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: name)
    assert peak_flops(torch.device("cuda"), torch.bfloat16) == pytest.approx(peak, rel=1e-3)


def test_a_cpu_has_no_known_peak():
    assert peak_flops(torch.device("cpu"), torch.float32) is None
