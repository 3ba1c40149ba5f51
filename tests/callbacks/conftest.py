"""A tiny task over tiny scenes, and a quiet trainer."""

import logging

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.utils.data import DataLoader
from torchmetrics import MeanMetric

from ppvd.semantics import Frozen, ViT, ViTEncoder


def make_scene(index, *, size=(16, 24)):
    """A near box before a far wall, sky above, a hole in the truth."""
    height, width = size
    generator = torch.Generator().manual_seed(index)
    depth = torch.full((1, height, width), 8.0)
    depth[:, height // 4 : -2, width // 3 : width // 2] = 2.0
    sky = torch.zeros(1, height, width, dtype=torch.bool)
    sky[:, :2] = True
    valid = ~sky
    valid[:, -2:, :3] = False
    focal = float(width)
    return {
        "image": torch.rand(3, height, width, generator=generator),
        "depth": depth * valid,
        "valid": valid,
        "sky": sky,
        "intrinsics": torch.tensor(
            [[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]]
        ),
        "pose": torch.eye(4),
        "key": f"scene_{index}",
        "source": "synthetic",
    }


def make_loader(count=4, *, batch_size=2, first=0, **options):
    scenes = [make_scene(first + index, **options) for index in range(count)]
    return DataLoader(scenes, batch_size=batch_size)


class TinyTask(LightningModule):
    """Predicts a code with one convolution; remembers the weights each stage has seen."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.encoder = Frozen(ViTEncoder(ViT(width=8, depth=1, num_heads=2, patch=8, grid=2)))
        self.net = nn.Conv2d(3, 1, 3, padding=1)
        self.register_buffer("index", torch.arange(9))
        self.error = MeanMetric()
        self.num_steps = 3
        self.seen = {"train": [], "val": [], "test": []}

    def _predict(self, stage, batch):
        self.seen[stage].append(self.net.weight.detach().clone())
        return self.net(batch["image"]) + self.encoder(batch["image"]).mean()

    def _score(self, name, prediction):
        self.log(name, prediction.mean(), add_dataloader_idx=False, batch_size=len(prediction))

    def training_step(self, batch):
        self.index += 1
        return (self._predict("train", batch) - batch["depth"].log1p()).square().mean()

    def validation_step(self, batch, batch_idx, dataloader_idx=0):  # noqa: ARG002
        prediction = self._predict("val", batch)
        self._score(f"val/{dataloader_idx}/error", prediction)
        return {"prediction": prediction}

    def test_step(self, batch, batch_idx, dataloader_idx=0):  # noqa: ARG002
        prediction = self._predict("test", batch)
        self._score(f"test/{dataloader_idx}/error", prediction)
        return {"prediction": prediction}

    def predict_step(self, batch):
        return {"code": self.net(batch["image"]), "image": batch["image"], "key": batch["key"]}

    def configure_optimizers(self):
        return torch.optim.SGD(self.net.parameters(), lr=0.05, momentum=0.9)


@pytest.fixture
def trainer(tmp_path):
    """Build a trainer on the CPU that prints nothing; options override."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    def build(**options):
        quiet = {
            "accelerator": "cpu",
            "devices": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
            "log_every_n_steps": 1,
            "default_root_dir": tmp_path,
        }
        return Trainer(**quiet | options)

    return build


@pytest.fixture
def task():
    return TinyTask()


@pytest.fixture
def new_task():
    return TinyTask


@pytest.fixture
def scene():
    return make_scene


@pytest.fixture
def loader():
    return make_loader
