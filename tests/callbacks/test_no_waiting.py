"""Between two logged values, nothing that watches makes the host wait for the device."""

import functools

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger
from torch.utils._python_dispatch import TorchDispatchMode

from ppvd.callbacks import EMA, GradientNorms, HParams, LossBins, SeedSteps, Throughput
from ppvd.nn import CascadeDiT
from ppvd.semantics import NoSemantics
from ppvd.tasks import PPD

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*no .val_dataloader.")


class Reads(TorchDispatchMode):
    """Counts how often a number is read from a tensor, for which a GPU would have to be waited."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func.overloadpacket in (
            torch.ops.aten._local_scalar_dense,
            torch.ops.aten.nonzero,
            torch.ops.aten.masked_select,
        )
        return func(*args, **(kwargs or {}))


def reads_of(num_steps, loader, folder, *more):
    net = functools.partial(CascadeDiT, width=16, depth=2, num_heads=2, patch=2)
    watching = [
        LearningRateMonitor("step"),
        LossBins(num_bins=1),
        GradientNorms(),
        Throughput(),
        HParams({}),
    ]
    # Not AdamW, which reads its own count of steps: that one lies in main memory on a GPU, too.
    task = PPD(NoSemantics(), net, optimizer=functools.partial(torch.optim.SGD, lr=0.1))
    with Reads() as reads:
        L.Trainer(
            accelerator="cpu",
            max_steps=num_steps,
            log_every_n_steps=num_steps,
            gradient_clip_val=1.0,
            logger=CSVLogger(folder),
            callbacks=[SeedSteps(), EMA(decay=0.9), *watching, *more],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(task, loader(80, batch_size=2))
    return reads.count


def test_more_steps_between_values_read_no_more(loader, tmp_path):
    assert reads_of(4, loader, tmp_path) == reads_of(12, loader, tmp_path) > 0


def test_what_reads_at_each_step_is_noticed(loader, tmp_path):
    class Reader(L.Callback):
        def on_train_batch_end(self, trainer, *_):
            float(trainer.callback_metrics["train/loss"])

    few, many = (reads_of(n, loader, tmp_path, Reader()) for n in (4, 12))
    assert many - few == 8
