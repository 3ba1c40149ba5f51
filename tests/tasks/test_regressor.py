import functools

import torch

from ppvd.nn import CascadeDiT
from ppvd.semantics import NoSemantics, ViT, ViTEncoder, ViTRegressor
from ppvd.tasks import CascadeRegressor, MeanDepth, Regressor


def quiet(task):
    task.log = task.log_dict = lambda *_, **__: None
    task._fabric = None
    return task


def test_a_regressor_learns_one_image(batch):
    torch.manual_seed(0)
    net = functools.partial(CascadeDiT, width=32, depth=2, num_heads=2, patch=4)
    task = quiet(Regressor(CascadeRegressor(NoSemantics(), net)))
    optimizer = torch.optim.AdamW(task.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = task.training_step(batch, 0)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_an_encoder_is_pretrained_whole(batch):
    torch.manual_seed(0)
    task = quiet(
        Regressor(ViTRegressor(ViTEncoder(ViT(width=16, depth=1, num_heads=2, patch=8, grid=2))))
    )
    task.training_step(batch, 0).backward()
    trained = [p for p in task.parameters() if p.requires_grad]
    assert len(trained) > 10
    assert task.divisor == 8
    assert task.predict(batch["image"], keys=batch["key"]).shape == (3, 1, 16, 24)


def test_mean_depth_is_flat(batch):
    assert not MeanDepth().predict(batch["image"], keys=batch["key"]).any()
