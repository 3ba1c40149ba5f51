"""Mistakes in recipes and options are answered in one sentence: key, demand, value."""

import pytest

MODEL = {"class_path": "Toy", "init_args": {"net": {"class_path": "ToyNet"}}}


def with_model(**init_args):
    return {"class_path": "Toy", "init_args": {"net": "ToyNet", **init_args}}


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (
            "--model.init_args.num_step=3",
            "unknown key model.init_args.num_step; did you mean num_steps?",
        ),
        ("--model.num_step=3", "unknown key model.num_step; did you mean num_steps?"),
        ("--model.pixel=3", "unknown key model.pixel; did you mean pixels?"),
        (
            "--model.init_args.net.init_args.widht=3",
            "unknown key model.init_args.net.init_args.widht; did you mean width?",
        ),
        ("--trainer.max_epoch=3", "unknown key trainer.max_epoch; did you mean max_epochs?"),
        ("--data.batchsize=3", "unknown key data.batchsize; did you mean batch_size?"),
        ("--modle=3", "unknown key modle; did you mean model?"),
        ("--max_epochs=3", "unknown key max_epochs; did you mean trainer.max_epochs?"),
        ("--trainer.max_epochs=x", "trainer.max_epochs must be int or None, got x"),
        (
            "--model.init_args.net.init_args.width=abc",
            "model.init_args.net.init_args.width must be int, got abc",
        ),
        (
            "--trainer.precision=half",
            "trainer.precision must be 64 or 32 or 16 or transformer-engine or"
            " transformer-engine-float16 or 16-true or 16-mixed or bf16-true or bf16-mixed or"
            " 32-true or 64-true or bf16 or None, got half",
        ),
        ("--model=Toi", "model names no class: Toi"),
        ("--model=ppvd.PDP", "model names no class: ppvd.PDP; did you mean PPD?"),
        ("--model=toy_tasks.Part", "model must name a subclass of DepthTask, got toy_tasks.Part"),
    ],
)
def test_a_wrong_option(option, sentence, recipe, refused):
    assert refused("fit", "-c", recipe(), option) == (2, sentence)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"model": with_model(num_step=3)},
            "unknown key model.init_args.num_step in toy.yaml; did you mean num_steps?",
        ),
        (
            {"model": with_model(part={"class_path": "Part", "init_args": {"gian": 3}})},
            "unknown key model.init_args.part.init_args.gian in toy.yaml; did you mean gain?",
        ),
        (
            {"model": with_model(parts={"a": {"class_path": "Part", "init_args": {"gian": 3}}})},
            "unknown key model.init_args.parts.a.init_args.gian in toy.yaml; did you mean gain?",
        ),
        (
            {"model": with_model(net={"class_path": "ToyNet", "init_args": {"depht": 3}})},
            "unknown key model.init_args.net.init_args.depht in toy.yaml; did you mean depth?",
        ),
        (
            {"model": with_model(pixels="many")},
            "model.init_args.pixels in toy.yaml must be int or None, got many",
        ),
        ({"max_epoch": 3}, "unknown key trainer.max_epoch in toy.yaml; did you mean max_epochs?"),
        ({"max_epochs": "x"}, "trainer.max_epochs in toy.yaml must be int or None, got x"),
        (
            {"callbacks": [{"class_path": "ModelCheckpoint", "init_args": {"monitro": "x"}}]},
            "unknown key trainer.callbacks.0.init_args.monitro in toy.yaml; did you mean monitor?",
        ),
        (
            {"callbacks": [{"class_path": "ModelCheckpont"}]},
            "trainer.callbacks.0.class_path in toy.yaml names no class: ModelCheckpont; "
            "did you mean ModelCheckpoint?",
        ),
        ({"model": {"class_path": "Toy"}}, "model requires net"),
    ],
)
def test_a_wrong_setting_in_a_recipe_names_the_recipe(settings, sentence, recipe, refused):
    assert refused("fit", "-c", recipe(**settings)) == (2, sentence)


def test_a_key_with_no_near_name_is_answered_with_those_known(recipe, refused):
    code, sentence = refused("fit", "-c", recipe(), "--data.colour=3")
    assert (code, sentence) == (2, "unknown key data.colour; known there: batch_size, root")


def test_a_missing_recipe_is_answered_with_its_neighbour(recipe, refused):
    recipe("toy")
    assert refused("fit", "-c", "toi.yaml") == (
        2,
        "recipe toi.yaml does not exist; did you mean toy.yaml?",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("model: [", "must be YAML: line 1, column 9"),
        ("just words", "must be a mapping of keys, got 'just words'"),
        ("", "must be a mapping of keys, got None"),
    ],
)
def test_a_file_that_is_no_recipe(text, reason, here, refused):
    (here / "bad.yaml").write_text(text)
    code, sentence = refused("fit", "-c", "bad.yaml")
    assert code == 2
    assert sentence.startswith(f"recipe bad.yaml {reason}")


def test_no_recipe_at_all(refused):
    code, sentence = refused("fit")
    assert code == 2
    assert sentence.startswith("no data and no model given; name a recipe (-c experiments/")


def test_an_option_without_its_value(refused):
    assert refused("fit", "-c") == (2, "argument -c/--config: expected one argument")


def test_of_two_recipes_the_one_with_the_wrong_value_is_named(recipe, refused):
    words = ["-c", recipe("wrong", max_epochs="x"), "-c", recipe("right", max_epochs=3)]
    assert refused("fit", *words) == (
        2,
        "trainer.max_epochs in wrong.yaml must be int or None, got x",
    )


def test_a_setting_of_the_model_without_its_section_is_shown_its_place(recipe, refused):
    found = refused("fit", "-c", recipe(), "--model=ppvd.PPD", "--optimizer.lr=1")
    assert found == (2, "unknown key optimizer.lr; did you mean model.init_args.optimizer.lr?")
