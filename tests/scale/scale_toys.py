"""A small PPD whose noise belongs to the sample, and data dealt to ranks in turn."""

import json
import os
import signal
import time
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch import Callback
from torch import nn
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from ppvd.nn import CascadeDiT
from ppvd.scale import WholeCheckpoints
from ppvd.semantics import ViT, ViTEncoder
from ppvd.tasks import PPD
from ppvd.tasks.base import training_target

SIZE = 16
NUM_SAMPLES = 40


def small_net(semantic_width):
    net = CascadeDiT(semantic_width, width=16, depth=4, num_heads=2, patch=4, checkpoint_blocks=1)
    torch.manual_seed(1)
    for parameter in net.parameters():  # Zeros would hide what a block does.
        nn.init.normal_(parameter, std=0.1)
    return net


def drawn(key, shape):
    generator = torch.Generator().manual_seed(int(key.removeprefix("scene")))
    return torch.randn(shape, generator=generator)


class Scaled(PPD):
    """Draws time and noise from the sample's key, so that they do not depend on the rank."""

    def __init__(self, lr: float = 1e-3, **options):
        torch.manual_seed(0)
        encoder = ViTEncoder(ViT(width=16, depth=1, num_heads=2, patch=8, grid=4))
        super().__init__(
            encoder,
            small_net,
            metrics={},
            optimizer=lambda params: torch.optim.AdamW(params, lr=lr, fused=True),
            **options,
        )

    def training_step(self, batch, batch_idx):  # noqa: ARG002
        clean, mask = training_target(self.codec, batch)
        noise = torch.stack([drawn(key, clean.shape[1:]) for key in batch["key"]]).to(clean)
        time = torch.sigmoid(noise.mean((1, 2, 3)) * SIZE)
        step = self._flow_step(batch["image"], clean, noise, time, mask)
        losses = {name: loss(step) for name, loss in self.losses.items()}
        return self.weighted_sum(losses, self.weights, batch)

    def validation_step(self, batch, batch_idx, dataloader_idx=0):  # noqa: ARG002
        self.predict(batch["image"], keys=batch["key"])

    def on_after_batch_transfer(self, batch, dataloader_idx):  # noqa: ARG002
        return batch

    def on_validation_start(self): ...
    def on_validation_epoch_end(self): ...


class Scenes(Dataset):
    def __len__(self):
        return NUM_SAMPLES

    def __getitem__(self, index):
        image = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(index))
        return {
            "image": image,
            "depth": 1.0 + 9.0 * image[:1],
            "valid": torch.ones(1, SIZE, SIZE, dtype=torch.bool),
            "sky": torch.zeros(1, SIZE, SIZE, dtype=torch.bool),
            "intrinsics": torch.eye(3),
            "pose": torch.eye(4),
            "key": f"scene{index}",
            "source": "toy",
        }


class ScaledData(L.LightningDataModule):
    def __init__(self, batch_size: int = 4):
        super().__init__()
        self.batch_size = batch_size

    def train_dataloader(self):
        # With two ranks, each gets every other sample of the same global batch.
        world, rank = self.trainer.world_size, self.trainer.global_rank
        sampler = DistributedSampler(Scenes(), num_replicas=world, rank=rank, shuffle=False)
        return DataLoader(Scenes(), batch_size=self.batch_size, sampler=sampler, drop_last=True)

    def val_dataloader(self):
        return {"toy": DataLoader(Scenes(), batch_size=self.batch_size)}


class Note(Callback):
    """Writes a line for each step and rank: the step, the mean loss of all ranks, own samples."""

    def __init__(self, path: str):
        self.path = path

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):  # noqa: ARG002
        loss = trainer.strategy.reduce(outputs["loss"].detach().clone(), reduce_op="mean")
        line = {"step": trainer.global_step, "loss": float(loss), "keys": list(batch["key"])}
        with Path(f"{self.path}-{trainer.global_rank}").open("a") as file:
            file.write(json.dumps(line) + "\n")


class Slow(Callback):
    """Takes its time, so that a signal comes within the run."""

    def on_train_batch_end(self, *_):
        time.sleep(0.1)


class DyingCheckpoints(WholeCheckpoints):
    """Dies of SIGKILL when half of the fifth checkpoint is written."""

    num_saved = 0

    def save_checkpoint(self, checkpoint, path, storage_options=None):
        self.num_saved += 1
        if self.num_saved == 5:
            checkpoint = {**checkpoint, "dies": Trap()}
        super().save_checkpoint(checkpoint, path, storage_options)


class Trap:
    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGKILL)
