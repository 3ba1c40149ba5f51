"""``ppvd weights``: a file in, a file or a page out, mistakes in one sentence."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import ppvd as package
from ppvd.weights import PUBLISHED, read_card

WORDS = [
    "weights",
    "import",
    "weights/ppd_moge.pth",
    "--as",
    "ppd-moge2",
    "--out",
    "new.safetensors",
]


@pytest.fixture(autouse=True)
def _published(files, here):
    assert files == here / "weights"


@pytest.fixture
def imported(ppvd, capsys):
    ppvd(*WORDS)
    said = capsys.readouterr().out
    assert said == f"new.safetensors: ppd-moge2, licence: {PUBLISHED['ppd-moge2'].licence}\n"
    return Path("new.safetensors")


def test_a_file_is_imported_and_told_of_and_verified(imported, ppvd, capsys):
    ppvd("weights", "info", str(imported))
    page = capsys.readouterr().out
    card = read_card(imported)
    for line in (
        "  model     ppd-moge2, a network of image",
        f"  source    ppd_moge.pth, SHA-256 {card.sha256}",
        "  encoder   moge2-l",
        f"  licence   {card.licence}",
    ):
        assert f"{line}\n" in page
    num_weights = sum(tensor.numel() for tensor in load_file(imported).values())
    assert f"with {num_weights:,} numbers, float32" in page
    ppvd("weights", "verify", str(imported))
    assert capsys.readouterr().out == "new.safetensors: ppd-moge2, as it was imported\n"


def test_other_files_are_told_apart(ppvd, capsys):
    torch.save({"a": torch.zeros(2, dtype=torch.float16)}, "other.pth")
    for file, what in (
        ("weights/ppd_moge.pth", "a published network, not imported"),
        ("weights/moge2.pt", "moge2, a published encoder, not imported"),
        ("weights/pi3.safetensors", "pi3, a published encoder, not imported"),
        ("other.pth", "no published model; a run's checkpoint, or of other code"),
    ):
        ppvd("weights", "info", file)
        assert f"  holds     {what}\n" in capsys.readouterr().out
    ppvd("weights", "info", "other.pth")
    assert "1 with 2 numbers, float16" in capsys.readouterr().out


def test_the_list_says_where_each_model_is_or_may_be_found(ppvd, capsys):
    ppvd("weights", "list")
    lines = capsys.readouterr().out.splitlines()
    assert "  ppd-moge2            image    ppd_moge.pth" in lines
    assert f"  mae-l                encoder  not yet; {PUBLISHED['mae-l'].page}" in lines
    assert all(any(line.startswith(f"  {name} ") for line in lines) for name in PUBLISHED)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["import", "gone.pth", *WORDS[3:]], 1, "weights must name a file, got gone.pth"),
        (["import", "a.pth", *WORDS[3:]], 1, "weights must be a readable checkpoint, got a.pth"),
        ([*WORDS[1:3], "--as", "ppd", *WORDS[5:]], 1, "name must be one of ppd-dav2"),
        ([*WORDS[1:6], "new.pth"], 1, "out must end in .safetensors, got new.pth"),
        ([*WORDS[1:4], "moge2-l", *WORDS[5:]], 1, "weights in weights/ppd_moge.pth must be of a"),
        (WORDS[1:5], 2, "the following arguments are required: --out; see: ppvd weights import"),
        ([*WORDS[1:5], "--otu", "x"], 2, "the following arguments are required: --out"),
        ([*WORDS[1:], "--fast"], 2, "unrecognized arguments: --fast"),
        (["info", "gone.safetensors"], 1, "weights must name a file, got gone.safetensors"),
        (["verify", "a.pth"], 1, "a.pth must be an imported file; import it: ppvd weights import"),
        (["inform"], 2, "argument list|import|info|verify|export: invalid choice: 'inform'"),
        (
            [],
            2,
            "the following arguments are required: list|import|info|verify|export; see: ppvd weig",
        ),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(words, code, sentence, refused):
    Path("a.pth").write_bytes(b"no weights")
    got = refused("weights", *words)
    assert got[0] == code
    assert got[1].startswith(sentence)
    assert not list(Path().glob("new*"))


def test_a_changed_file_does_not_verify(imported, refused):
    tensors, card = load_file(imported), read_card(imported)
    tensors["head.bias"] += 1
    save_file(tensors, imported, metadata=card.metadata())
    sentence = "new.safetensors must hold the tensors that were imported, but they differ"
    assert refused("weights", "verify", "new.safetensors") == (1, sentence)


def test_a_recipe_takes_published_files_by_one_option_each(recipe, ppvd, monkeypatch, capsys):
    seen = []
    predict = package.PPD.predict
    monkeypatch.setattr(
        package.PPD, "predict", lambda task, *a, **k: seen.append(task) or predict(task, *a, **k)
    )
    model = {
        "class_path": "PPD",
        "init_args": {
            "encoder": {"class_path": "ppvd.MoGe2", "init_args": {"weights": "weights/moge2.pt"}},
            "net": {
                "class_path": "CascadeDiT",
                "init_args": {"width": 32, "depth": 4, "num_heads": 2},
            },
            "initial_weights": "weights/ppd_moge.pth",
            "grid": "ppvd.released_grid",
        },
    }
    ppvd("test", "-c", recipe("published", model=model))
    assert "abs_rel" in capsys.readouterr().out
    image = torch.rand(1, 3, 32, 48)
    tasks = seen[0].eval(), package.load("ppd-moge2", pixels=None)
    with torch.no_grad():
        found, expected = (task.predict(image, keys=["a"]) for task in tasks)
    assert torch.equal(found, expected)
