"""Every recipe parses, builds at full size without memory, and takes a training step in small."""

from pathlib import Path

import lightning as L
import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from lightning.pytorch.cli import LightningCLI

import ppvd
from ppvd.cli import main

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
PARTS = {"data", "encoders", "hardware"}  # What recipes name, or are composed with.
RECIPES = sorted(
    path
    for path in EXPERIMENTS.rglob("*.yaml")
    if path.parent.name not in PARTS and "model" in yaml.safe_load(path.read_text())
)
HARDWARE = sorted((EXPERIMENTS / "hardware").glob("*.yaml"))

ENCODERS = sorted((EXPERIMENTS / "encoders").glob("*.yaml"))

SMALL_VIT = {"width": 16, "depth": 4, "num_heads": 2, "grid": 4}
SMALL_SIZES = {
    "ppvd.MoGe2": {"backbone": SMALL_VIT, "projected": 8},
    "ppvd.Pi3": {"backbone": SMALL_VIT, "num_pairs": 1},
    "ppvd.VGGT": {"backbone": SMALL_VIT, "num_pairs": 1},
}
SMALL_ENCODER = {
    "class_path": "ppvd.ViTEncoder",
    "init_args": {
        "backbone": {
            "class_path": "ppvd.ViT",
            "init_args": {"width": 16, "depth": 1, "num_heads": 2, "patch": 8, "grid": 4},
        },
        "weights": None,
        "cell": 8,
    },
}
SMALL_NET = {"init_args": {"width": 16, "depth": 2, "num_heads": 2, "checkpoint_blocks": 1}}


def name(path):
    return str(path.relative_to(EXPERIMENTS))


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    main(
        ["shards", "build", "synthetic", "--out", str(folder), "--count", "4", "--size", "32", "48"]
    )
    return folder


@pytest.fixture
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    options = ["--count", "2", "--size", "32", "48", "--frames-per-clip", "7"]
    main(["shards", "build", "synthetic", "--out", str(folder), *options])
    return folder


def trains_on_clips(recipe):
    data = yaml.safe_load(recipe.read_text())["data"]
    return "clips" in yaml.safe_load((recipe.parent / data).read_text())["init_args"]


def small(recipe, shards):
    """What makes a recipe small: its own class names stay, the sizes and the data go."""
    config = yaml.safe_load(recipe.read_text())
    arguments = config["model"]["init_args"]
    data = {"manifest": str(shards)}
    overlay = {
        "model": {"init_args": {}},
        "data": {
            "class_path": "ppvd.ShardDataModule",
            "init_args": {
                "train": {"tiny": data},
                "val": {"tiny": data},
                "test": {"tiny": data},
                "size": [32, 48],
                "batch_size": 2,
                "num_workers": 0,
                "samples_per_epoch": 4,
            },
        },
        "trainer": {"accelerator": "cpu", "fast_dev_run": True},
    }
    new = overlay["model"]["init_args"]
    if "pixels" in arguments:
        new["pixels"] = 32 * 48
    if "encoder" in arguments:
        if arguments["encoder"] != "ppvd.NoSemantics":
            new["encoder"] = small_encoder(recipe.parent / arguments["encoder"])
        new["net"] = SMALL_NET
        new["initial_weights"] = None
        if "alignment" in arguments.get("losses", {}):
            new["losses"] = arguments["losses"]
            new["losses"]["alignment"]["init_args"]["tap"] = 0
    elif arguments["net"]["class_path"] == "ppvd.CascadeRegressor":
        new["net"] = {"init_args": {"encoder": SMALL_ENCODER, "net": SMALL_NET}}
    if trains_on_clips(recipe):
        window = {"length": 4, "keyframes": [0, 2, 3]}
        overlay["data"]["init_args"]["clips"] = window
        if "encoder" in arguments:
            new["windows"] = window
    return overlay


def small_encoder(path):
    """The class of an encoder in a size that needs no file."""
    kind = yaml.safe_load(path.read_text())["class_path"]
    if kind == "ppvd.ViTEncoder":
        return SMALL_ENCODER
    if kind == "ppvd.ClipEncoder":
        arguments = {"backbone": SMALL_ENCODER["init_args"]["backbone"], "num_heads": 2}
        return {"class_path": kind, "init_args": {**arguments, "weights": None}}
    size = SMALL_SIZES.get(kind, SMALL_VIT)
    return {"class_path": kind, "init_args": {"weights": None, "size": size}}


def test_there_are_recipes():
    assert len(RECIPES) >= 21
    assert len(ENCODERS) >= 7
    assert len(HARDWARE) >= 3


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
@pytest.mark.usefixtures("in_tmp")
def test_a_recipe_builds_at_full_size_on_the_meta_device(recipe, monkeypatch):
    monkeypatch.setattr("sys.argv", ["ppvd"])
    for exported in ppvd.__all__:
        getattr(ppvd, exported)
    with torch.device("meta"):
        cli = LightningCLI(
            ppvd.DepthTask,
            L.LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_callback=None,
            args=["--config", str(recipe), "--seed_everything=0", "--trainer.logger=false"],
            run=False,
        )
    assert all(parameter.is_meta for parameter in cli.model.parameters())


def test_the_full_size_network_is_the_papers():
    with torch.device("meta"):
        net = ppvd.CascadeDiT(1024)
    assert sum(parameter.numel() for parameter in net.parameters()) == 499_842_112


@pytest.mark.parametrize("path", ENCODERS, ids=name)
def test_an_encoder_builds_at_full_size_and_describes_in_small(path):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(ppvd.SemanticEncoder, "encoder")
    with torch.device("meta"):
        full = parser.instantiate_classes(parser.parse_object({"encoder": str(path)})).encoder
    assert str(full.weights).startswith(("$PPVD_WEIGHTS/", "lightning_logs/"))
    config = parser.parse_object({"encoder": small_encoder(path)})
    encoder = ppvd.Frozen(parser.instantiate_classes(config).encoder)
    cell = encoder.encoder.input.cell
    assert encoder(torch.rand(1, 3, 32, 48)).shape == (1, encoder.width, 32 // cell, 48 // cell)


@pytest.mark.parametrize("recipe", RECIPES, ids=name)
def test_a_recipe_trains_and_tests_in_small(recipe, shards, clips, in_tmp):
    overlay = in_tmp / "small.yaml"
    data = clips if trains_on_clips(recipe) else shards
    overlay.write_text(yaml.safe_dump(small(recipe, data)))
    for verb in ("fit", "test"):
        main([verb, "-c", str(recipe), "-c", str(overlay)])


@pytest.mark.parametrize("hardware", HARDWARE, ids=name)
def test_hardware_composes_with_a_recipe(hardware, capsys):
    recipe = EXPERIMENTS / "ppd_pretrain_512.yaml"
    with pytest.raises(SystemExit) as end:
        main(["fit", "-c", str(recipe), "-c", str(hardware), "--print_config"])
    assert not end.value.code
    used = yaml.safe_load(capsys.readouterr().out)["trainer"]
    wanted = yaml.safe_load(hardware.read_text())["trainer"]
    for key in {"accelerator", "devices", "num_nodes"} & wanted.keys():
        assert used[key] == wanted[key]
    recipes = yaml.safe_load(recipe.read_text())["trainer"]["callbacks"]
    assert len(used["callbacks"]) == len(recipes) + len(wanted.get("callbacks+", []))
