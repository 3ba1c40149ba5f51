"""The words after ``ppvd`` lead to the right code, and mistakes to one sentence."""

import json
import subprocess
import sys

import pytest

from ppvd.cli import main


def modules_after(*words):
    """Return the names of all modules loaded by a new process that ran ``ppvd *words``."""
    script = (
        "import json, sys\nfrom ppvd.cli import main\n"
        f"try:\n    main({list(words)!r})\nexcept SystemExit:\n    pass\n"
        "print('MODULES' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.split("MODULES")[1])


@pytest.mark.parametrize(
    "words", [["--help"], ["fit", "--help"], ["--version"], ["depth", "-h"], ["weights", "-h"]]
)
def test_help_is_quick_because_it_loads_next_to_nothing(words):
    modules = modules_after(*words)
    assert not {"torch", "lightning", "numpy", "yaml", "cv2"} & set(modules)
    assert len(modules) < 250


def test_importing_the_package_loads_no_room():
    script = "import sys, ppvd; print([m for m in sys.modules if m.startswith(('ppvd.', 'torch'))])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_help_names_every_verb(capsys):
    main([])
    page = capsys.readouterr().out
    for verb in ("fit", "validate", "test", "predict", "shards", "depth", "weights"):
        assert f"\n  {verb} " in page


@pytest.mark.parametrize("verb", ["fit", "validate", "test", "predict"])
def test_help_of_a_trainer_verb_is_short_and_shows_how(verb, capsys):
    main([verb, "--help"])
    page = capsys.readouterr().out
    assert f"usage: ppvd {verb}" in page
    assert f"\n  ppvd {verb} -" in page
    assert len(page.splitlines()) < 35


def test_help_all_lists_every_key(ppvd, capsys):
    with pytest.raises(SystemExit) as leaving:
        ppvd("fit", "--help-all")
    assert leaving.value.code == 0
    assert "--trainer.gradient_clip_val" in capsys.readouterr().out


def test_version_is_the_package_s(capsys):
    main(["--version"])
    assert capsys.readouterr().out.startswith("ppvd 0.")


def test_arguments_default_to_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ppvd", "--version"])
    main()
    assert capsys.readouterr().out.startswith("ppvd ")


def test_an_unknown_verb_is_answered_with_the_nearest(refused):
    assert refused("fti") == (2, "unknown verb fti; did you mean fit?")


def test_a_verb_like_no_other_is_answered_with_all(refused):
    code, sentence = refused("zzz")
    assert code == 2
    assert "the verbs are fit, validate, test, predict, depth, shards, weights, score," in sentence


def test_a_recipe_before_the_verb_is_answered_with_the_right_order(refused):
    code, sentence = refused("-c", "x.yaml", "fit", "--trainer.max_steps", "3")
    assert code == 2
    assert sentence == ("the verb comes first; write: ppvd fit -c x.yaml --trainer.max_steps 3")


def test_an_option_without_any_verb_is_answered_too(refused):
    assert refused("-c", "x.yaml") == (2, "the verb comes first; write: ppvd VERB -c x.yaml")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError("gain must be positive, got -1"), 1, "gain must be positive, got -1"),
        (FileNotFoundError(2, "No such file", "a.pt"), 1, "a.pt cannot be used: No such file"),
    ],
)
def test_an_ending_with_a_name_is_one_sentence(error, code, sentence, refused, monkeypatch):
    def end(_):
        raise error

    monkeypatch.setattr("ppvd.cli.dispatch._run", end)
    assert refused("fit") == (code, sentence)


def test_the_traceback_is_shown_on_demand(monkeypatch):
    monkeypatch.setenv("PPVD_DEBUG", "1")
    with pytest.raises(ValueError, match="unknown verb"):
        main(["fti"])


def test_an_error_of_the_program_keeps_its_traceback(monkeypatch):
    def end(_):
        raise TypeError("ours")

    monkeypatch.setattr("ppvd.cli.dispatch._run", end)
    with pytest.raises(TypeError, match="ours"):
        main(["fit"])
