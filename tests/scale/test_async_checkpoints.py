import threading

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.demos.boring_classes import BoringModel

from ppvd.scale import AsyncCheckpoints, WholeCheckpoints


@pytest.fixture
def gate(monkeypatch):
    """Writing waits until it is set."""
    opened = threading.Event()
    write = WholeCheckpoints.save_checkpoint

    def wait_and_write(self, *arguments):
        opened.wait()
        write(self, *arguments)

    monkeypatch.setattr(WholeCheckpoints, "save_checkpoint", wait_and_write)
    yield opened
    opened.set()  # Else a test that fails would wait for its threads for ever.


def test_a_step_goes_on_before_the_file_is_there_and_may_change_the_weights(tmp_path, gate):
    weight = torch.zeros(3)
    checkpoints = AsyncCheckpoints()
    checkpoints.save_checkpoint({"weight": weight}, tmp_path / "one.ckpt")
    weight += 1
    assert not (tmp_path / "one.ckpt").exists()
    gate.set()
    loaded = checkpoints.load_checkpoint(tmp_path / "one.ckpt", weights_only=True)
    assert torch.equal(loaded["weight"], torch.zeros(3))


def test_the_older_file_stays_until_the_newer_one_is_there(tmp_path, gate):
    checkpoints = AsyncCheckpoints()
    (tmp_path / "old.ckpt").touch()
    checkpoints.save_checkpoint({}, tmp_path / "new.ckpt")
    checkpoints.remove_checkpoint(tmp_path / "old.ckpt")
    assert (tmp_path / "old.ckpt").exists()
    gate.set()
    checkpoints.wait()
    assert [file.name for file in tmp_path.iterdir()] == ["new.ckpt"]


def test_no_more_than_one_copy_waits_for_a_slow_disk(tmp_path, gate):
    checkpoints = AsyncCheckpoints()
    checkpoints.save_checkpoint({}, tmp_path / "1.ckpt")
    second = threading.Thread(target=checkpoints.save_checkpoint, args=({}, tmp_path / "2.ckpt"))
    second.start()
    second.join(0.2)
    assert second.is_alive()
    assert not (tmp_path / "1.ckpt").exists()
    gate.set()
    second.join()
    checkpoints.wait()
    assert {file.name for file in tmp_path.iterdir()} == {"1.ckpt", "2.ckpt"}


def test_a_writing_that_fails_ends_the_training_and_the_older_file_stays(tmp_path):
    (tmp_path / "taken").touch()
    (tmp_path / "old.ckpt").touch()
    checkpoints = AsyncCheckpoints()
    checkpoints.save_checkpoint({}, tmp_path / "taken" / "new.ckpt")
    checkpoints.remove_checkpoint(tmp_path / "old.ckpt")
    with pytest.raises(OSError, match="taken"):
        checkpoints.save_checkpoint({}, tmp_path / "third.ckpt")
    assert (tmp_path / "old.ckpt").exists()


def test_a_training_ends_when_its_last_checkpoint_is_written(tmp_path):
    every_step = ModelCheckpoint(
        tmp_path, "{step}", every_n_train_steps=1, monitor="step", mode="max", save_top_k=2
    )
    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=5,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        callbacks=[every_step],
        plugins=[AsyncCheckpoints()],
    )
    trainer.fit(BoringModel())
    assert {file.name for file in tmp_path.iterdir()} == {"step=4.ckpt", "step=5.ckpt"}
    saved = torch.load(tmp_path / "step=5.ckpt", weights_only=True)["state_dict"]
    now = trainer.model.state_dict()
    assert all(torch.equal(saved[name], now[name]) for name in saved)
