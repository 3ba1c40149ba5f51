"""A model and data so small that a whole run takes a moment."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import lightning as L
import torch
from lightning.pytorch.loggers.logger import Logger
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ppvd.tasks import DepthTask


class Part(nn.Module):
    def __init__(self, gain: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.gain, self.bias = gain, bias


class OtherPart(Part):
    def __init__(self, gain: float = 10.0, bias: float = 20.0):
        super().__init__(gain, bias)


class Needy(Part):
    """Reads a file, as a frozen encoder reads its weights."""

    def __init__(self, path: str):
        super().__init__()
        Path(path).read_bytes()


class ToyNet(nn.Conv2d):
    def __init__(self, semantic_width: int, *, width: int = 2, depth: int = 1):
        super().__init__(3, width, 1)
        self.semantic_width, self.width, self.depth = semantic_width, width, depth


class Toy(DepthTask):
    def __init__(
        self,
        net: Callable[[int], ToyNet],
        part: nn.Module | None = None,
        *,
        parts: dict[str, nn.Module] | None = None,
        num_steps: int = 4,
        nan_at: int | None = None,
        interrupt_at: int | None = None,
        **options,
    ):
        super().__init__(metrics={}, **options)
        self.net = net(7)
        self.part, self.parts, self.num_steps = part, parts, num_steps
        self.nan_at, self.interrupt_at = nan_at, interrupt_at
        SEEN.append(self)

    @property
    def divisor(self):
        return 1

    def training_step(self, batch, batch_idx):  # noqa: ARG002
        if self.global_step == self.interrupt_at:
            raise KeyboardInterrupt
        loss = (self.net(batch["image"])[:, :1] - batch["depth"]).square().mean()
        if self.global_step == self.nan_at:
            loss = loss * torch.nan
        return self.weighted_sum({"error": loss}, {}, batch)

    def validation_step(self, batch, batch_idx, dataloader_idx=0):  # noqa: ARG002
        self.log("val/score", float(SCORES.pop(0)) if SCORES else 0.0, batch_size=1)

    def on_validation_start(self): ...
    def on_validation_epoch_end(self): ...
    def on_test_start(self): ...
    def on_test_epoch_end(self): ...

    def test_step(self, batch, batch_idx, dataloader_idx=0):  # noqa: ARG002
        self.log("test/score", 1.0, batch_size=1)

    def predict_code(self, image, *, keys):  # noqa: ARG002
        return image.mean(1, keepdim=True)


class OtherToy(Toy):
    """Takes what Toy takes, with other defaults."""

    def __init__(self, net: Callable[[int], ToyNet], *, num_steps: int = 40, **options):
        super().__init__(net, num_steps=num_steps, **options)


class Scenes(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        image = torch.rand(3, 8, 12, generator=torch.Generator().manual_seed(index))
        return {
            "image": image,
            "depth": image[:1] + 1.0,
            "valid": torch.ones(1, 8, 12, dtype=torch.bool),
            "sky": torch.zeros(1, 8, 12, dtype=torch.bool),
            "intrinsics": torch.tensor([[9.0, 0.0, 5.5], [0.0, 9.0, 3.5], [0.0, 0.0, 1.0]]),
            "pose": torch.eye(4),
            "key": f"scene{index}",
            "source": "toy",
        }


class ToyData(L.LightningDataModule):
    def __init__(self, batch_size: int = 1, root: str = "here"):
        super().__init__()
        self.batch_size, self.root = batch_size, root
        SEEN_DATA.append(self)

    def train_dataloader(self):
        return DataLoader(Scenes(), batch_size=self.batch_size)

    predict_dataloader = train_dataloader

    def val_dataloader(self):
        return {"toy": self.train_dataloader()}

    test_dataloader = val_dataloader


SEEN: list[Toy] = []
SEEN_DATA: list[ToyData] = []
SCORES: list[float] = []


class Service(Logger):
    """Stands for W&B or MLflow: numbers and words go elsewhere, and there are no folders."""

    seen: ClassVar[set[str]] = set()
    name, version = "service", "a1b2"

    def log_metrics(self, metrics, step=None):  # noqa: ARG002
        self.seen.update(metrics)

    def log_hyperparams(self, params, *args, **kwargs): ...
