"""A run that was killed in the middle of an epoch goes on as if nothing had happened."""

from itertools import pairwise

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from ppvd.callbacks import BeginEpochs, SeedSteps
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

    def fit(*, num_workers=0, ckpt_path=None, trainer=None, kept="kept", **options):
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
            tmp_path / kept, "{step}", every_n_train_steps=1, save_top_k=-1
        )
        model = Noted()
        L.Trainer(
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[SeedSteps(), BeginEpochs(), every_step],
            **(trainer or {"max_epochs": 2}),
        ).fit(model, datamodule=data, ckpt_path=ckpt_path)
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


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.parametrize("stops", [[7, 14, 21], [3, 7, 21], [14, 17, 21]])
@pytest.mark.parametrize("length", [{"max_steps": 28}, {"max_epochs": 4}])
@pytest.mark.parametrize("validation", [{}, {"limit_val_batches": 0}])
def test_a_run_goes_on_from_the_end_of_an_epoch_again_and_again(
    fit, tmp_path, stops, length, validation
):
    trainer = length | validation
    whole = fit(trainer=trainer)
    assert len(whole) == 4 * STEPS_PER_EPOCH
    ckpt_path = None
    for begin, end in pairwise([0, *stops, len(whole)]):
        kept = f"from_{begin}"  # The checkpoints of this part of the run, and of no other.
        steps = fit(ckpt_path=ckpt_path, trainer=trainer, kept=kept)
        assert steps == whole[begin:]
        ckpt_path = str(tmp_path / kept / f"step={end}.ckpt")
