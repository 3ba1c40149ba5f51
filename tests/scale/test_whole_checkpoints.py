from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.plugins.io import AsyncCheckpointIO, TorchCheckpointIO

from ppvd.scale import WholeCheckpoints, keep_whole, require_whole


class Fails:
    def __reduce__(self):
        raise RuntimeError("died")


def test_what_was_saved_is_loaded(tmp_path):
    checkpoint = {"state_dict": {"weight": torch.rand(3)}, "global_step": 4}
    WholeCheckpoints().save_checkpoint(checkpoint, tmp_path / "new/last.ckpt")
    loaded = WholeCheckpoints().load_checkpoint(tmp_path / "new/last.ckpt", weights_only=True)
    assert torch.equal(loaded["state_dict"]["weight"], checkpoint["state_dict"]["weight"])
    assert loaded["global_step"] == 4


def test_a_writing_that_fails_leaves_the_checkpoint_before(tmp_path):
    file = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"step": 1}, file)
    with pytest.raises(RuntimeError, match="died"):
        WholeCheckpoints().save_checkpoint({"step": 2, "trap": Fails()}, file)
    assert WholeCheckpoints().load_checkpoint(file, weights_only=True) == {"step": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_run_left_is_removed(tmp_path):
    (tmp_path / ".last.ckpt.abcdef").write_bytes(b"half")
    (tmp_path / ".other.ckpt.abcdef").write_bytes(b"of another")
    WholeCheckpoints().save_checkpoint({}, tmp_path / "last.ckpt")
    assert {file.name for file in tmp_path.iterdir()} == {"last.ckpt", ".other.ckpt.abcdef"}


def test_a_flipped_bit_is_found(tmp_path):
    file = tmp_path / "last.ckpt"
    values = torch.arange(1000.0)
    WholeCheckpoints().save_checkpoint({"weight": values}, file)
    content = bytearray(file.read_bytes())
    content[content.find(values[100:110].numpy().tobytes())] ^= 1
    file.write_bytes(content)
    torch.load(file, weights_only=True)  # It does not look.
    with pytest.raises(ValueError, match=r"last.ckpt must be as it was written, but .* is damaged"):
        WholeCheckpoints().load_checkpoint(file, weights_only=True)


def test_a_file_that_is_no_zip_file_is_left_to_torch(tmp_path):
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    require_whole(tmp_path / "text.ckpt")


def test_another_way_of_writing_is_kept():
    chosen = AsyncCheckpointIO(TorchCheckpointIO())
    for io, kept in ((TorchCheckpointIO(), WholeCheckpoints), (chosen, AsyncCheckpointIO)):
        trainer = SimpleNamespace(strategy=SimpleNamespace(checkpoint_io=io))
        keep_whole(trainer)
        assert type(trainer.strategy.checkpoint_io) is kept
