"""A whole training from object storage, from the command line."""

import shutil
from pathlib import Path

import pytest

from ppvd.data.storage import object_at

obstore = pytest.importorskip("obstore")

STEPS = {"every_n_train_steps": 1, "save_top_k": -1, "filename": "{step}"}

PPD = {
    "class_path": "PPD",
    "init_args": {
        "encoder": "NoSemantics",
        "net": {
            "class_path": "CascadeDiT",
            "init_args": {"width": 16, "depth": 2, "num_heads": 2, "split": 1},
        },
        "losses": {"velocity": "VelocityError"},
    },
}


def data(url, **options):
    return {
        "class_path": "ShardDataModule",
        "init_args": {
            "train": {"rooms": {"manifest": f"{url}/train"}},
            "val": {"rooms": {"manifest": f"{url}/val"}},
            "size": [32, 32],
            "batch_size": 2,
            **options,
        },
    }


@pytest.fixture
def rooms(s3):
    """Eight rooms to train on and one to validate on, in a bucket."""
    from ppvd.cli.shards import main

    size = ["--size", "32", "32"]
    main(["build", "synthetic", "--out", f"{s3}/train", "--count", "8", *size])
    main(["build", "synthetic", "--out", f"{s3}/val", "--count", "1", *size, "--split", "val"])
    return s3


def losses(folder):
    """Training loss of each step that a run has logged."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {event.step: event.value for event in events.Scalars("train/loss")}


@pytest.mark.parametrize("options", [{}, {"cache": {"folder": "cache", "max_gb": 1}}])
def test_a_run_trained_from_a_bucket_goes_on_in_mid_epoch(rooms, recipe, ppvd, options):
    kept = {"class_path": "ModelCheckpoint", "init_args": STEPS}
    ppvd("fit", "-c", recipe(model=PPD, data=data(rooms, **options), callbacks=[kept]))
    first = Path("lightning_logs/toy/version_0")
    ppvd("fit", "--ckpt_path", str(first / "checkpoints" / "step=2.ckpt"))
    whole, rest = losses(first), losses(Path("lightning_logs/toy/version_1"))
    assert sorted(whole) == [0, 1, 2, 3]
    assert rest == {step: whole[step] for step in (2, 3)}
    assert len(list(Path("cache").glob("*.tar"))) == (2 if options else 0)


def test_workers_read_from_a_bucket_too(rooms, recipe, ppvd):
    """The parent has read a manifest from there: forked, they would hang."""
    ppvd("fit", "-c", recipe(model=PPD, data=data(rooms, num_workers=1), limit_val_batches=0))
    assert Path("lightning_logs/toy/version_0").is_dir()


def test_a_set_that_is_not_there_is_one_sentence(s3, recipe, refused):
    code, sentence = refused("fit", "-c", recipe(model=PPD, data=data(s3)))
    assert code != 0
    assert f"manifest {s3}/train/manifest.json must exist" in sentence


@pytest.mark.parametrize("plugins", [[], ["ppvd.AsyncCheckpoints"]], ids=["at once", "async"])
def test_a_run_goes_on_on_another_machine_from_checkpoints_in_a_bucket(
    rooms, recipe, ppvd, capsys, plugins
):
    kept = {"class_path": "ModelCheckpoint", "init_args": STEPS | {"dirpath": f"{rooms}/kept"}}
    settings = {"model": PPD, "callbacks": [kept], "plugins": plugins, "max_steps": 4}
    path = recipe(data=data(rooms), **settings)
    ppvd("fit", "-c", path)
    whole = losses(Path("lightning_logs/toy/version_0"))
    store, name = object_at(f"{rooms}/kept/step=4.ckpt")
    obstore.delete(store, name)  # As if it had been killed before.
    store, name = object_at(f"{rooms}/kept/step=3.ckpt")
    content = bytearray(obstore.get(store, name).bytes())
    shutil.rmtree("lightning_logs")
    for ckpt_path in ("last", f"{rooms}/kept", f"{rooms}/kept/step=3.ckpt"):
        ppvd("fit", "-c", path, f"--ckpt_path={ckpt_path}")
        assert f"step 3 of {rooms}/kept" in capsys.readouterr().out
        rest = losses(max(Path("lightning_logs/toy").glob("version_*")))
        assert rest == {3: whole[3]}
        obstore.delete(*object_at(f"{rooms}/kept/step=4.ckpt"))
    content[len(content) // 2] ^= 1
    obstore.put(store, name, bytes(content))
    shutil.rmtree("lightning_logs")
    ppvd("fit", "-c", path, "--ckpt_path=last")
    assert f"step 2 of {rooms}/kept" in capsys.readouterr().out


def test_an_empty_folder_of_checkpoints_is_told_and_a_first_training_begins(
    rooms, recipe, ppvd, refused
):
    kept = {"class_path": "ModelCheckpoint", "init_args": STEPS | {"dirpath": f"{rooms}/kept"}}
    path = recipe(model=PPD, data=data(rooms), callbacks=[kept], max_steps=1)
    code, sentence = refused("fit", "-c", path, f"--ckpt_path={rooms}/kept")
    assert code == 2
    assert f"{rooms}/kept must hold a whole checkpoint, but there is none" in sentence
    with pytest.warns(UserWarning, match="No checkpoint will be loaded"):
        ppvd("fit", "-c", path, "--ckpt_path=last")
    obstore.head(*object_at(f"{rooms}/kept/step=1.ckpt"))
