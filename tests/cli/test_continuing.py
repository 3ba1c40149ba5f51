"""A training goes on from the furthest whole checkpoint of its newest run."""

from pathlib import Path

import pytest
import torch

from ppvd.cli.continuing import furthest

RUN = Path("lightning_logs/toy/version_0")
EVERY_STEP = {"filename": "{step}", "every_n_train_steps": 1, "save_top_k": -1}
KEPT = [{"class_path": "ModelCheckpoint", "init_args": EVERY_STEP}]


@pytest.mark.parametrize("path", ["last", str(RUN), "lightning_logs/toy"])
def test_a_training_goes_on_from_the_furthest(path, recipe, fitted, ppvd, capsys):
    fitted(callbacks=KEPT)
    (RUN / "checkpoints/step=1.ckpt").touch()  # Later in time.
    ppvd("fit", "-c", recipe(callbacks=KEPT, max_epochs=2), "--ckpt_path", path)
    assert f"checkpoint: {RUN}/checkpoints/step=2.ckpt (step 2)" in capsys.readouterr().out
    kept = Path("lightning_logs/toy/version_1/checkpoints").glob("*.ckpt")
    assert {file.name for file in kept} == {"step=3.ckpt", "step=4.ckpt"}


def test_last_is_looked_for_below_the_root_folder(recipe, ppvd, capsys):
    words = ["fit", "-c", recipe(callbacks=KEPT), "--trainer.default_root_dir", "root"]
    ppvd(*words)
    ppvd(*words, "--ckpt_path=last", "--trainer.max_epochs=2")
    assert f"checkpoint: root/{RUN}/checkpoints/step=2.ckpt" in capsys.readouterr().out


def test_a_damaged_checkpoint_is_passed_over_and_named(fitted, caplog):
    fitted(callbacks=KEPT)
    file = RUN / "checkpoints/step=2.ckpt"
    content = bytearray(file.read_bytes())
    weight = torch.load(file, weights_only=True)["state_dict"]["net.weight"]
    content[content.find(weight.numpy().tobytes())] ^= 1
    file.write_bytes(content)
    assert furthest(RUN).path == RUN / "checkpoints/step=1.ckpt"
    assert "step=2.ckpt must be as it was written" in caplog.text
    file.write_bytes(b"half")
    assert furthest(RUN).path == RUN / "checkpoints/step=1.ckpt"


def test_a_run_without_a_checkpoint_is_passed_over(fitted):
    fitted(callbacks=KEPT)
    Path("lightning_logs/toy/version_1").mkdir()
    assert furthest(Path("lightning_logs/toy")).path.name == "step=2.ckpt"
    assert furthest(Path("lightning_logs/toy/version_1")) is None
