"""An override never lies: command line over recipe over checkpoint over default."""

from pathlib import Path

import pytest
import torch
import yaml

VERBS = ["fit", "validate", "test", "predict"]
RUN = "lightning_logs/toy/version_0"


def model(name="Toy", *, net=None, **init_args):
    net = {"class_path": "ToyNet", "init_args": net or {}}
    return {"class_path": name, "init_args": {"net": net, **init_args}}


@pytest.fixture
def trained(fitted, toys, capsys):
    """Trains the toy with settings of its own and forgets what was seen."""

    def train(**init_args):
        settings = {"num_steps": 9, "net": {"width": 3, "depth": 5}, **init_args}
        fitted(model=model(**settings))
        toys.SEEN.clear()
        capsys.readouterr()

    return train


def table(text):
    """Return what was printed as {name: (remembered, used)}."""
    rows = [line.split() for line in text.splitlines() if " -> " in line]
    return {name: (old, new) for name, old, _, new in rows}


@pytest.mark.parametrize("verb", VERBS)
def test_a_value_in_the_recipe_wins_over_the_checkpoint(verb, trained, recipe, ppvd, capsys):
    trained()
    other = recipe(model=model(num_steps=6, net={"width": 3}), max_epochs=2)
    built = ppvd(verb, "-c", other, "--ckpt_path", RUN)
    assert built.num_steps == 6
    assert table(capsys.readouterr().out) == {"model.init_args.num_steps": ("9", "6")}


@pytest.mark.parametrize("verb", VERBS)
def test_a_value_on_the_command_line_wins_over_both(verb, trained, recipe, ppvd, capsys):
    trained()
    other = recipe(model=model(num_steps=6), max_epochs=2)
    option = "--model.init_args.num_steps=5"
    built = ppvd(verb, option, "-c", other, "--ckpt_path", RUN)
    assert built.num_steps == 5
    assert table(capsys.readouterr().out)["model.init_args.num_steps"] == ("9", "5")


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_not_given_is_as_the_checkpoint_remembers(verb, trained, recipe, ppvd, capsys):
    trained(part={"class_path": "Part", "init_args": {"gain": 3.0}})
    other = recipe(model={"class_path": "Toy", "init_args": {"net": "ToyNet"}}, max_epochs=2)
    built = ppvd(verb, "-c", other, "--ckpt_path", RUN)
    assert (built.num_steps, built.net.width, built.net.depth) == (9, 3, 5)
    assert (built.part.gain, built.part.bias) == (3.0, 0.0)
    assert table(capsys.readouterr().out) == {}


@pytest.mark.parametrize("verb", VERBS)
def test_a_checkpoint_alone_is_enough(verb, trained, ppvd, capsys):
    trained()
    words = ["--trainer.max_epochs=2"] if verb == "fit" else ["--trainer.accelerator=cpu"]
    built = ppvd(verb, "--ckpt_path", f"{RUN}/checkpoints/epoch=0-step=2.ckpt", *words)
    assert (built.num_steps, built.net.width, built.net.depth) == (9, 3, 5)
    assert f"as in {RUN}/config.yaml" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_the_weights_are_those_of_the_checkpoint(verb, trained, ppvd):
    trained()
    file = Path(RUN, "checkpoints/epoch=0-step=2.ckpt")
    stored = torch.load(file, weights_only=True)["state_dict"]["net.weight"]
    words = ["--trainer.max_epochs=1"] if verb == "fit" else ["--trainer.logger=false"]
    built = ppvd(verb, "--ckpt_path", str(file), *words)
    assert torch.equal(built.net.weight, stored)


def test_a_nested_value_wins_and_its_neighbours_stay(trained, ppvd, capsys):
    trained(part={"class_path": "Part", "init_args": {"gain": 3.0, "bias": 4.0}})
    built = ppvd("test", "--ckpt_path", RUN, "--model.init_args.part.init_args.bias=7")
    assert (built.part.gain, built.part.bias) == (3.0, 7.0)
    assert table(capsys.readouterr().out) == {"model.init_args.part.init_args.bias": ("4.0", "7.0")}


def test_a_class_given_anew_stands_whole(trained, recipe, ppvd, capsys):
    trained(part={"class_path": "Part", "init_args": {"gain": 3.0, "bias": 4.0}})
    part = {"class_path": "OtherPart", "init_args": {"gain": 5.0}}
    built = ppvd("test", "-c", recipe(model=model(part=part)), "--ckpt_path", RUN)
    assert (built.part.gain, built.part.bias) == (5.0, 20.0)  # 4.0 would have leaked.
    assert built.num_steps == 9
    assert table(capsys.readouterr().out) == {
        "model.init_args.part.class_path": ("toy_tasks.Part", "toy_tasks.OtherPart")
    }


def test_a_class_given_anew_on_the_command_line_stands_whole(trained, ppvd):
    trained(part={"class_path": "Part", "init_args": {"gain": 3.0, "bias": 4.0}})
    built = ppvd("test", "--ckpt_path", RUN, "--model.init_args.part=OtherPart")
    assert (built.part.gain, built.part.bias) == (10.0, 20.0)


def test_the_same_class_under_another_name_is_no_other_class(trained, recipe, ppvd, capsys):
    trained(part={"class_path": "torch.nn.modules.linear.Identity"})
    part = {"class_path": "torch.nn.Identity"}
    built = ppvd("test", "-c", recipe(model=model(part=part)), "--ckpt_path", RUN)
    assert built.num_steps == 9
    assert table(capsys.readouterr().out) == {}


def test_another_model_stands_whole(trained, recipe, ppvd, toys, capsys):
    trained()
    other = recipe(model=model("OtherToy", net={"width": 3}))
    built = ppvd("test", "-c", other, "--ckpt_path", RUN)
    assert type(built) is toys.OtherToy
    assert (built.num_steps, built.net.depth) == (40, 1)
    assert table(capsys.readouterr().out) == {
        "model.class_path": ("toy_tasks.Toy", "toy_tasks.OtherToy")
    }


def test_parts_given_anew_replace_the_remembered_ones(trained, recipe, ppvd):
    kept = {"class_path": "Part", "init_args": {"gain": 3.0, "bias": 4.0}}
    trained(parts={"a": kept, "b": kept})
    anew = {"a": {"class_path": "OtherPart"}}
    built = ppvd("test", "-c", recipe(model=model(parts=anew)), "--ckpt_path", RUN)
    assert set(built.parts) == {"a"}
    assert (built.parts["a"].gain, built.parts["a"].bias) == (10.0, 20.0)


def test_what_was_used_is_what_the_next_checkpoint_remembers(trained, ppvd):
    trained()
    ppvd("fit", "--ckpt_path", RUN, "--trainer.max_epochs=2", "--model.init_args.num_steps=7")
    again = Path("lightning_logs/toy/version_1")
    saved = yaml.safe_load((again / "config.yaml").read_text())
    assert saved["model"]["init_args"]["num_steps"] == 7
    (file,) = again.glob("checkpoints/*.ckpt")
    content = torch.load(file, weights_only=True)
    assert content["hyper_parameters"]["num_steps"] == 7
    assert content["hyper_parameters"]["net"]["init_args"]["width"] == 3


def test_the_data_of_the_run_are_used_when_none_are_given(fitted, ppvd, toys):
    data = {"class_path": "ToyData", "init_args": {"root": "there", "batch_size": 2}}
    fitted(data=data)
    ppvd("test", "--ckpt_path", RUN, "--data.batch_size=1")
    assert (toys.SEEN_DATA[-1].root, toys.SEEN_DATA[-1].batch_size) == ("there", 1)


def test_data_given_stand_alone(fitted, ppvd, toys):
    data = {"class_path": "ToyData", "init_args": {"root": "there", "batch_size": 2}}
    fitted(data=data)
    ppvd("test", "--ckpt_path", RUN, "--data=ToyData")
    assert (toys.SEEN_DATA[-1].root, toys.SEEN_DATA[-1].batch_size) == ("here", 1)


def test_only_fit_goes_on_with_the_run_s_trainer(fitted, ppvd):
    fitted(max_epochs=2)
    assert ppvd("test", "--ckpt_path", RUN).trainer.max_epochs != 2
    assert ppvd("fit", "--ckpt_path", RUN).trainer.max_epochs == 2


def test_a_setting_the_model_no_longer_takes_names_the_checkpoint(trained, refused):
    trained()
    (file,) = Path(RUN).glob("checkpoints/*.ckpt")
    content = torch.load(file, weights_only=True)
    content["hyper_parameters"]["num_stepz"] = 3
    torch.save(content, file)
    code, sentence = refused("test", "--ckpt_path", str(file))
    assert (code, sentence) == (
        2,
        f"unknown key model.init_args.num_stepz in {file}; did you mean num_steps?",
    )
