"""A bad step can be taken again."""

from pathlib import Path

import pytest

RUN = Path("lightning_logs/toy/version_0")


@pytest.fixture
def spoilt(recipe, refused):
    """Leaves a run behind that ended at step 3 of 6."""

    def fit(nan_at=3):
        model = {"class_path": "Toy", "init_args": {"net": "ToyNet", "nan_at": nan_at}}
        kept = {"filename": "{step}", "every_n_train_steps": 2, "save_top_k": -1}
        callbacks = [
            {"class_path": "ModelCheckpoint", "init_args": kept},
            {"class_path": "ppvd.BadSteps"},
        ]
        return refused("fit", "-c", recipe(model=model, callbacks=callbacks, max_epochs=3))

    return fit


def test_a_bad_step_is_taken_again_from_the_checkpoint_before(spoilt, ppvd, capsys):
    code, sentence = spoilt()
    assert code == 1
    assert sentence.endswith(f"take the step again: ppvd debug batch {RUN}/bad_step_3.json")
    capsys.readouterr()
    ppvd("debug", "batch", str(RUN / "bad_step_3.json"))
    said = capsys.readouterr().out
    assert f"checkpoint: {RUN}/checkpoints/step=2.ckpt" in said
    assert "again: the gradients' norm must be a number of usual size, got nan at step 3" in said


def test_a_step_that_is_good_now_is_said_so(spoilt, refused):
    spoilt()
    config = RUN / "config.yaml"
    config.write_text(config.read_text().replace("nan_at: 3", "nan_at: null"))
    checkpoint = RUN / "checkpoints/step=2.ckpt"
    checkpoint.unlink()
    code, sentence = refused("debug", "batch", str(RUN / "bad_step_3.json"))
    assert (code, sentence) == (
        1,
        "step 3 must turn out bad again from the start, but did not",
    )


def test_another_file_is_refused(refused, here):
    (here / "other.json").write_text("{}")
    code, sentence = refused("debug", "batch", "other.json")
    assert code == 2
    assert sentence == "other.json must be a bad_step_N.json of a run, got keys []"
