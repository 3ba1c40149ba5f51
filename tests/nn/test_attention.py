import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ppvd.nn import Attention, TokenGrid, attend, rotary
from ppvd.nn import attention as attention_module


def _reference(attention, tokens):
    """Attention in NumPy, one head at a time."""
    weights = {
        name: value.detach().double().numpy() for name, value in attention.named_parameters()
    }

    def normalise(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    qkv = tokens.double().numpy() @ weights["qkv.weight"].T + weights["qkv.bias"]
    size, mixed = qkv.shape[-1] // 3 // attention.num_heads, []
    for head in range(attention.num_heads):
        parts = np.split(qkv, 3, axis=-1)
        query, key, value = (part[..., head * size : (head + 1) * size] for part in parts)
        query, key = normalise(query, "query_norm"), normalise(key, "key_norm")
        logits = np.exp(query @ key.swapaxes(-1, -2) / np.sqrt(size))
        mixed.append(logits / logits.sum(-1, keepdims=True) @ value)
    return np.concatenate(mixed, -1) @ weights["out.weight"].T + weights["out.bias"]


@pytest.fixture
def attention():
    torch.manual_seed(0)
    module = Attention(16, 2)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return module


def test_equals_a_plain_reference(attention):
    tokens = torch.randn(2, 7, 16)
    found = attention(tokens, None).detach().numpy()
    np.testing.assert_allclose(found, _reference(attention, tokens), atol=1e-5)


def test_without_positions_the_order_of_tokens_does_not_matter(attention):
    tokens, order = torch.randn(2, 6, 16), torch.randperm(6)
    torch.testing.assert_close(attention(tokens[:, order], None), attention(tokens, None)[:, order])


def test_with_positions_the_order_of_tokens_matters(attention):
    tokens, places = torch.randn(2, 6, 16), rotary(TokenGrid(2, 3), 8, torch.device("cpu"))
    flipped = attention(tokens.flip(1), places).flip(1)
    assert not torch.allclose(flipped, attention(tokens, places), atol=1e-3)


def test_the_head_norms_add_the_released_epsilon(attention):
    assert attention.query_norm.eps == attention.key_norm.eps == 1e-5


def test_more_sequences_than_a_kernel_takes_are_mixed_in_turns(monkeypatch):
    query, key, value = (torch.randn(2, 5, 3, 4, 8) for _ in range(3))
    expected = attend(query, key, value)
    monkeypatch.setattr(attention_module, "MAX_BATCH", 4)
    sizes = []
    fused = F.scaled_dot_product_attention
    monkeypatch.setattr(
        F, "scaled_dot_product_attention", lambda q, k, v: (sizes.append(len(q)), fused(q, k, v))[1]
    )
    torch.testing.assert_close(attend(query, key, value), expected)
    assert sizes == [4, 4, 2]


def test_whole_attention_in_bfloat16_equals_the_fused_kernel():
    query, key, value = (torch.randn(2, 3, 20, 8) for _ in range(3))
    exact = F.scaled_dot_product_attention(query, key, value)
    whole = attend(query.bfloat16(), key.bfloat16(), value.bfloat16())
    assert whole.dtype is torch.bfloat16
    torch.testing.assert_close(whole.float(), exact, rtol=0, atol=0.03)
