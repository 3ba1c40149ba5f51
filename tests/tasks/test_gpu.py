"""On a CUDA device: the CPU's numbers, no wait for the device, a training that learns."""

import functools

import pytest
import torch

from ppvd.nn import CascadeDiT
from ppvd.semantics import ViT, ViTEncoder
from ppvd.tasks import PPD

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

small_net = functools.partial(CascadeDiT, width=128, depth=4, num_heads=2, patch=4)


def awake_task():
    torch.manual_seed(0)
    ppd = PPD(ViTEncoder(ViT(width=64, depth=1, num_heads=2, patch=8, grid=4)), small_net)
    for parameter in ppd.net.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    ppd.log = ppd.log_dict = lambda *_, **__: None
    ppd._fabric = None
    return ppd


def test_samples_are_those_of_the_cpu():
    image, keys = torch.rand(2, 3, 32, 48), ["a", "b"]
    ppd = awake_task().eval()
    with torch.inference_mode():
        expected = ppd.predict(image, keys=keys)
        sampled = ppd.cuda().predict(image.cuda(), keys=keys)
    torch.testing.assert_close(sampled.cpu(), expected, rtol=1e-3, atol=1e-3)


def test_the_network_never_waits_for_the_device():
    net = awake_task().net.cuda()
    inputs = (torch.randn(2, 1, 32, 48), torch.rand(2, 3, 32, 48), torch.rand(2))
    noisy, image, time = (part.cuda() for part in inputs)
    features = torch.randn(2, 64, 4, 6).cuda()
    net(noisy, image, time, features).mean().backward()  # Tables of positions are made here.
    torch.cuda.set_sync_debug_mode("error")
    try:
        net(noisy, image, time, features).mean().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.filterwarnings("default")  # The compiler's own.
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_compiled_network_is_the_network(dtype):
    net = awake_task().net.cuda()
    inputs = (torch.randn(2, 1, 32, 48), torch.rand(2, 3, 32, 48), torch.rand(2))
    noisy, image, time = (part.cuda() for part in inputs)
    features = torch.randn(2, 64, 4, 6).cuda()
    compiled = torch.compile(net, fullgraph=True)
    with torch.no_grad(), torch.autocast("cuda", dtype, enabled=dtype is torch.bfloat16):
        expected, got = (one(noisy, image, time, features) for one in (net, compiled))
    tolerance = 1e-3 if dtype is torch.float32 else 5e-2
    assert (got - expected).abs().max() < tolerance * expected.std()


def test_training_on_one_batch_lowers_the_loss(batch):
    ppd = awake_task().cuda()
    moved = {k: v.cuda() if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
    optimizer = torch.optim.AdamW(ppd.net.parameters(), lr=1e-3, fused=True)
    losses = []
    for _ in range(60):
        with torch.autocast("cuda", torch.bfloat16):
            loss = ppd.training_step(moved, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    first, last = (torch.stack(part).mean() for part in (losses[:10], losses[-10:]))
    assert last < 0.8 * first
