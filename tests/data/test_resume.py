"""A run that was killed in the middle of an epoch goes on as if nothing had happened."""

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from ppvd.callbacks import SeedSteps
from ppvd.data import Augment, ShardDataModule, ShardSource

STEPS_PER_EPOCH = 7


class Noted(L.LightningModule):
    """Fits one number to noisy depth; keeps the samples and loss of each step."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.steps = []

    def training_step(self, batch, batch_idx):  # noqa: ARG002
        noisy = batch["depth"] + torch.randn_like(batch["depth"])
        loss = (self.weight * batch["image"].float().mean() - noisy).square().mean()
        self.steps.append((self.global_step, tuple(batch["key"]), loss.item()))
        return loss

    def validation_step(self, batch, batch_idx): ...

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.02)


@pytest.fixture
def fit(build, tmp_path):
    folders = [build("a", count=9, prefix="a"), build("b", count=6, prefix="b", shard=2)]

    def fit(*, num_workers, ckpt_path=None, **options):
        data = ShardDataModule(
            train={
                "a": ShardSource(manifest=str(folders[0]), weight=0.7),
                "b": ShardSource(manifest=str(folders[1]), weight=0.3),
            },
            val={"b": ShardSource(manifest=str(folders[1]))},
            size=(8, 8),
            batch_size=2,
            samples_per_epoch=2 * STEPS_PER_EPOCH,
            num_workers=num_workers,
            augment=Augment(),
            shuffle_buffer=4,
            pin_memory=False,
            **options,
        )
        every_step = ModelCheckpoint(
            tmp_path / "kept", "{step}", every_n_train_steps=1, save_top_k=-1
        )
        trainer = L.Trainer(
            accelerator="cpu",
            max_epochs=2,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[SeedSteps(), every_step],
        )
        model = Noted()
        trainer.fit(model, datamodule=data, ckpt_path=ckpt_path)
        return model.steps

    return fit


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* is not empty")
@pytest.mark.parametrize(
    ("num_workers", "stops", "options"),
    [
        (0, range(1, 2 * STEPS_PER_EPOCH), {}),
        (0, [3], {"max_bad_fraction": 0.1}),
        (2, [3, 11], {}),
    ],
)
def test_a_continued_run_has_the_samples_and_losses_of_an_uninterrupted_one(
    fit, tmp_path, num_workers, stops, options
):
    whole = fit(num_workers=num_workers, **options)
    assert len(whole) == 2 * STEPS_PER_EPOCH
    for stop in stops:
        kept = str(tmp_path / "kept" / f"step={stop}.ckpt")
        rest = fit(num_workers=num_workers, ckpt_path=kept, **options)
        assert rest == whole[stop:]
