"""FSDP 1, which Lightning runs on GPUs alone: its parts here, the whole where there is a GPU."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.distributed.fsdp.wrap import ModuleWrapPolicy

from ppvd.nn import Block, CascadeDiT
from ppvd.scale import export_weights

OVERLAY = yaml.safe_load(
    Path(__file__).parents[2].joinpath("experiments/hardware/fsdp8.yaml").read_text()
)
SETTINGS = OVERLAY["trainer"]["strategy"]["init_args"]


@pytest.fixture
def alone(tmp_path):
    """A group of one process."""
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("alone")
@pytest.mark.filterwarnings("ignore:FSDP is switching to use `NO_SHARD`")
def test_blocks_are_gathered_one_by_one_and_predict_what_they_did():
    assert SETTINGS["auto_wrap_policy"] == ["ppvd.nn.Block"]
    torch.manual_seed(0)
    net = CascadeDiT(8, width=16, depth=4, num_heads=2, patch=4)
    inputs = (
        torch.rand(1, 1, 16, 16),
        torch.rand(1, 3, 16, 16),
        torch.rand(1),
        torch.rand(1, 8, 2, 2),
    )
    expected = net(*inputs)
    num_blocks = sum(isinstance(part, Block) for part in net.modules())
    wrapped = FullyShardedDataParallel(
        net,
        device_id=torch.device("cpu"),
        auto_wrap_policy=ModuleWrapPolicy({Block}),
        use_orig_params=True,
    )
    units = FullyShardedDataParallel.fsdp_modules(wrapped)
    assert sum(isinstance(unit.module, Block) for unit in units) == num_blocks == 4
    predicted = wrapped(*inputs)
    assert torch.equal(predicted, expected)
    predicted.sum().backward()
    assert all(p.grad is not None for p in wrapped.parameters() if p.requires_grad)


def train(folder, num_gpus, strategy):
    folder.mkdir()
    note = {"class_path": "scale_toys.Note", "init_args": {"path": "steps"}}
    kept = {"dirpath": "kept", "filename": "{step}", "every_n_train_steps": 10}
    saved = {"class_path": "ModelCheckpoint", "init_args": kept}
    trainer = {"accelerator": "gpu", "devices": num_gpus, "max_steps": 20, "limit_val_batches": 0}
    trainer |= {"callbacks": [note, saved], "enable_progress_bar": False, **strategy}
    settings = {"trainer": trainer, "model": {"class_path": "scale_toys.Scaled"}}
    batch = {"init_args": {"batch_size": 4 // num_gpus}}
    settings["data"] = {"class_path": "scale_toys.ScaledData", **batch}
    (folder / "toy.yaml").write_text(yaml.safe_dump(settings))
    words = [sys.executable, "-m", "ppvd", "fit", "-c", "toy.yaml"]
    toys = {"PYTHONPATH": str(Path(__file__).parent)}
    subprocess.run(words, cwd=folder, env={**os.environ, **toys}, check=True)
    lines = (folder / "steps-0").read_text().splitlines()
    return torch.tensor([json.loads(line)["loss"] for line in lines])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpus_that_share_weights_learn_what_one_learns(tmp_path):
    run = partial(train, num_gpus=min(torch.cuda.device_count(), 2))
    shared = run(tmp_path / "shared", strategy={"strategy": OVERLAY["trainer"]["strategy"]})
    one = train(tmp_path / "one", 1, {})
    torch.testing.assert_close(shared, one, rtol=0, atol=1e-5)
    folder = tmp_path / "shared/kept/step=20.ckpt"
    assert folder.is_dir()
    assert export_weights(folder, tmp_path / "weights.safetensors") > 0
