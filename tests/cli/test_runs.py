"""Where runs go, which checkpoint is meant, and how a run ends."""

import signal
from pathlib import Path

import pytest
import torch
import yaml

RUN = "lightning_logs/toy/version_0"


def keep_best(**settings):
    init_args = {"monitor": "val/score", "filename": "{step}", "save_top_k": -1, **settings}
    return [{"class_path": "ModelCheckpoint", "init_args": init_args}]


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def checkpoints(run=RUN):
    return sorted(Path(run).glob("checkpoints/*.ckpt"))


def test_a_run_lies_in_the_folder_of_its_recipe(recipe, ppvd):
    ppvd("fit", "-c", recipe("mine"), "-c", recipe("hardware"))
    run = Path("lightning_logs/mine/version_0")
    assert list(run.glob("events.out.tfevents.*"))
    assert yaml.safe_load((run / "config.yaml").read_text())["experiment"] == "mine"


def test_an_experiment_can_be_named(recipe, ppvd):
    ppvd("fit", "-c", recipe(), "--experiment", "other")
    assert Path("lightning_logs/other/version_0/config.yaml").is_file()


def test_runs_lie_below_the_root_folder_asked_for(recipe, ppvd, here):
    ppvd("fit", "-c", recipe(), "--trainer.default_root_dir", str(here / "root"))
    assert (here / "root" / RUN / "config.yaml").is_file()
    assert not Path("lightning_logs").exists()


def test_no_hp_metric_is_logged(recipe, ppvd):
    assert ppvd("fit", "-c", recipe()).trainer.logger._default_hp_metric is False


def test_a_run_without_a_logger_writes_no_configuration(recipe, ppvd):
    for _ in range(2):
        ppvd("fit", "-c", recipe(logger=False, enable_checkpointing=False))
    assert not Path("config.yaml").exists()
    assert not Path("lightning_logs").exists()


def test_a_resumed_run_belongs_to_the_same_experiment(ppvd, fitted):
    fitted()
    Path("small.yaml").write_text("trainer: {limit_train_batches: 1}")
    ppvd("fit", "-c", "small.yaml", "--ckpt_path", RUN)
    saved = yaml.safe_load(Path("lightning_logs/toy/version_1/config.yaml").read_text())
    assert saved["experiment"] == "toy"
    assert saved["trainer"]["limit_train_batches"] == 1
    assert saved["ckpt_path"] == str(checkpoints()[0])


def test_changes_to_a_run_do_not_name_it(recipe, ppvd):
    ppvd("fit", "-c", recipe(), "--experiment", "demo/toy")
    Path("small.yaml").write_text("trainer: {limit_test_batches: 1}")
    ppvd("test", "-c", "small.yaml", "--ckpt_path", "lightning_logs/demo/toy")
    assert Path("lightning_logs/demo/toy/version_1/config.yaml").is_file()


def test_a_test_with_a_recipe_is_named_by_it(recipe, ppvd, fitted):
    fitted()
    ppvd("test", "-c", recipe("benchmark"), "--ckpt_path", RUN)
    assert Path("lightning_logs/benchmark/version_0/config.yaml").is_file()


def test_a_resumed_run_can_be_named_anew(ppvd, fitted):
    fitted()
    ppvd("fit", "--ckpt_path", RUN, "--experiment", "second")
    assert Path("lightning_logs/second/version_0/config.yaml").is_file()


def test_a_used_folder_is_refused_with_what_to_do(recipe, refused, ppvd):
    words = ["fit", "-c", recipe(), "--trainer.logger.init_args.version=0"]
    ppvd(*words)
    before = Path(RUN, "config.yaml").stat().st_mtime_ns
    code, sentence = refused(*words)
    assert code == 2
    assert f"{RUN} holds a run already" in sentence
    assert "--ckpt_path" in sentence
    assert Path(RUN, "config.yaml").stat().st_mtime_ns == before


def test_recipes_compose_and_callbacks_can_be_added(recipe, ppvd):
    first = recipe("first", callbacks=[{"class_path": "ModelCheckpoint"}])
    Path("second.yaml").write_text(
        "trainer: {callbacks+: [{class_path: LearningRateMonitor}], max_steps: 1}"
    )
    trainer = ppvd("fit", "-c", first, "-c", "second.yaml").trainer
    names = [type(callback).__name__ for callback in trainer.callbacks]
    assert {"ModelCheckpoint", "LearningRateMonitor"} <= set(names)
    assert trainer.global_step == 1


def test_the_order_of_options_and_recipes_does_not_matter(recipe, ppvd):
    assert ppvd("fit", "--trainer.max_steps=1", "-c", recipe(max_steps=2)).trainer.max_steps == 1


def test_the_seed_has_a_default(recipe, ppvd):
    first, second = (ppvd("fit", "-c", recipe()).net.weight for _ in range(2))
    assert torch.equal(first, second)


# Which checkpoint.


def test_a_run_s_folder_means_its_best_checkpoint(ppvd, toys, capsys, fitted):
    toys.SCORES[:] = [3.0, 3.0, 1.0, 1.0, 2.0, 2.0]
    fitted(max_epochs=3, callbacks=keep_best())
    for folder in (RUN, "lightning_logs/toy"):
        capsys.readouterr()
        ppvd("test", "--ckpt_path", folder)
        line = f"checkpoint: {RUN}/checkpoints/step=4.ckpt (best val/score)"
        assert line in capsys.readouterr().out


def test_a_moved_run_is_still_understood(ppvd, toys, capsys, fitted):
    toys.SCORES[:] = [3.0, 3.0, 1.0, 1.0, 2.0, 2.0]
    fitted(max_epochs=3, callbacks=keep_best())
    Path(RUN).rename("moved")
    ppvd("test", "--ckpt_path", "moved")
    assert "checkpoint: moved/checkpoints/step=4.ckpt (best" in capsys.readouterr().out


def test_a_run_without_a_monitor_means_its_last_checkpoint(ppvd, capsys, fitted):
    fitted(max_epochs=3, callbacks=keep_best(monitor=None))
    ppvd("test", "--ckpt_path", RUN)
    assert "checkpoints/step=6.ckpt (last)" in capsys.readouterr().out


def test_a_checkpoint_in_a_recipe_is_resolved_too(ppvd, capsys, fitted):
    fitted()
    Path("eval.yaml").write_text(f"ckpt_path: {RUN}")
    ppvd("test", "-c", "eval.yaml")
    assert f"checkpoint: {checkpoints()[0]}" in capsys.readouterr().out


def test_last_lets_a_training_that_restarts_itself_begin(recipe, ppvd):
    with pytest.warns(UserWarning, match="no last checkpoint available"):
        ppvd("fit", "-c", recipe(), "--ckpt_path=last")


def test_nothing_is_executed_in_a_checkpoint_that_lightning_finds(recipe, ppvd, refused, here):
    folder = keep_best(monitor=None, dirpath="kept", save_last=True)
    words = ["fit", "-c", recipe(callbacks=folder), "--ckpt_path=last"]
    with pytest.warns(UserWarning, match="no last checkpoint available"):
        ppvd(*words)
    content = torch.load("kept/last.ckpt", weights_only=True)
    torch.save({**content, "trap": Trap(here / "executed")}, "kept/last.ckpt")
    code, sentence = refused(*words)
    assert code == 2
    assert sentence.startswith("ckpt_path must be a checkpoint that is plain data")
    assert not (here / "executed").exists()


def test_predictions_are_not_collected_in_memory(recipe, ppvd):
    trainer = ppvd("predict", "-c", recipe()).trainer
    assert not trainer.predict_loop.return_predictions


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["test", "--ckpt_path=best"], "ckpt_path=best means a training in this same process"),
        (["fit", "--ckpt_path=best"], "ckpt_path=best means a training in this same process"),
        (["test", "--ckpt_path=last"], "ckpt_path=last means a training in this same process"),
        (["test", "--ckpt_path=gone.ckpt"], "checkpoint gone.ckpt does not exist"),
        (["test", "--ckpt_path=empty"], "empty must hold a run, but there is no checkpoint"),
        (["test", "--ckpt_path=text.ckpt"], "text.ckpt must be a checkpoint, but cannot be read"),
        (["test", "--ckpt_path=zero.ckpt"], "zero.ckpt must be a checkpoint, but cannot be read"),
        (["test", "--ckpt_path=list.ckpt"], "list.ckpt must be a checkpoint of `ppvd fit`"),
        (["test", "--ckpt_path=code.ckpt"], "code.ckpt must be a checkpoint, but cannot be read"),
    ],
)
def test_what_is_no_checkpoint(words, start, recipe, refused):
    Path("empty").mkdir()
    Path("text.ckpt").write_text("no checkpoint")
    Path("zero.ckpt").touch()
    torch.save([1], "list.ckpt")
    torch.save({"state_dict": {}, "code": Path}, "code.ckpt")
    code, sentence = refused(*words, "-c", recipe())
    assert code == 2
    assert sentence.startswith(start)


def test_a_near_checkpoint_is_named(refused, fitted):
    fitted()
    code, sentence = refused("test", "--ckpt_path", RUN.replace("_0", "_00"))
    assert (code, sentence) == (
        2,
        f"checkpoint {RUN}0 does not exist; did you mean {RUN}?",
    )


@pytest.mark.parametrize("verb", ["fit", "test"])
def test_the_weights_of_another_network_are_refused(verb, recipe, refused, fitted):
    fitted()
    width = "--model.init_args.net.init_args.width=5"
    code, sentence = refused(verb, "-c", recipe(), "--ckpt_path", RUN, width)
    assert code == 2
    assert sentence == (
        f"{checkpoints()[0]} holds the weights of another network: net.weight is (2, 3, 1, 1), "
        f"wanted (5, 3, 1, 1); net.bias is (2,), wanted (5,); it was made by the recipe "
        f"{RUN}/config.yaml"
    )


def test_training_does_not_go_on_from_weights_alone(ppvd, refused, fitted):
    fitted(callbacks=keep_best(monitor=None, save_weights_only=True))
    code, sentence = refused("fit", "--ckpt_path", RUN)
    assert code == 2
    assert "holds weights alone" in sentence
    ppvd("test", "--ckpt_path", RUN)


def test_a_checkpoint_that_remembers_no_model_needs_a_recipe(recipe, ppvd, refused, fitted):
    fitted()
    (file,) = checkpoints()
    torch.save({**torch.load(file, weights_only=True), "hyper_parameters": {}}, file)
    code, sentence = refused("test", "--ckpt_path", str(file))
    assert code == 2
    assert sentence.startswith("no model given; name a recipe")
    ppvd("test", "-c", recipe(), "--ckpt_path", str(file))


# How a run ends.


def test_ctrl_c_ends_with_130_and_the_way_on(recipe, refused):
    handler = signal.getsignal(signal.SIGINT)
    broken_off = recipe(
        model={"class_path": "Toy", "init_args": {"net": "ToyNet", "interrupt_at": 2}}, max_epochs=2
    )
    code, sentence = refused("fit", "-c", broken_off)
    assert (code, sentence) == (130, f"interrupted; go on with: ppvd fit --ckpt_path {RUN}")
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_loss_that_is_no_number_is_one_sentence(recipe, refused):
    spoilt = recipe(model={"class_path": "Toy", "init_args": {"net": "ToyNet", "nan_at": 1}})
    code, sentence = refused("fit", "-c", spoilt)
    assert code == 1
    assert "step 1" in sentence
    assert "scene1" in sentence
    assert not checkpoints()


def test_a_model_that_refuses_its_settings_is_one_sentence(recipe, refused):
    model = {"class_path": "PPD", "init_args": {"encoder": "NoSemantics", "net": "CascadeDiT"}}
    model["init_args"]["num_samples"] = 0
    model["init_args"]["net"] = {
        "class_path": "CascadeDiT",
        "init_args": {"width": 16, "depth": 2, "num_heads": 2, "split": 1},
    }
    code, sentence = refused("fit", "-c", recipe(model=model))
    assert (code, sentence) == (2, "num_samples must be at least 1, got 0")
