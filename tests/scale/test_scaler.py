"""Half precision: the scale of the losses goes on where a killed run left it."""

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.demos.boring_classes import BoringModel
from lightning.pytorch.plugins import MixedPrecision

from ppvd.scale import WholeCheckpoints

SCALER = "MixedPrecision"  # Lightning's name for its state in a checkpoint.


class Overflows(BoringModel):
    """Its gradients overflow in the second step: the scale then falls, and grows later."""

    def training_step(self, batch, batch_idx):  # noqa: ARG002
        drawn = torch.Generator().manual_seed(batch_idx)
        loss = self.layer(torch.rand(4, 32, generator=drawn)).square().mean()
        return loss * (float("inf") if batch_idx == 1 else 1.0)


def train(folder, *, ckpt_path=None):
    torch.manual_seed(0)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
    every_step = ModelCheckpoint(folder, "{step}", every_n_train_steps=1, save_top_k=-1)
    L.Trainer(
        accelerator="cpu",
        max_steps=9,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        callbacks=[every_step],
        plugins=[WholeCheckpoints(), MixedPrecision("16-mixed", "cpu", scaler)],
    ).fit(Overflows(), ckpt_path=ckpt_path, weights_only=True)
    return torch.load(folder / "step=9.ckpt", weights_only=True)


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.filterwarnings("ignore:.*your dataloader is not resumable")
def test_the_scale_and_its_count_go_on_exactly(tmp_path):
    whole = train(tmp_path / "whole")
    scales = [
        torch.load(tmp_path / "whole" / f"step={n}.ckpt", weights_only=True)[SCALER]["scale"]
        for n in range(1, 10)
    ]
    assert scales[:3] == [1024, 512, 512]
    assert scales[-1] > 512
    for step in (1, 2, 4):
        before = tmp_path / "whole" / f"step={step}.ckpt"
        rest = train(tmp_path / f"from {step}", ckpt_path=before)
        assert rest[SCALER] == whole[SCALER]
        weights = whole["state_dict"]
        assert all(torch.equal(rest["state_dict"][name], weights[name]) for name in weights)
