"""The real model through every verb: fit, test, predict, depth."""

import re
from pathlib import Path
from pydoc import locate

import cv2
import numpy as np
import pytest
import torch
import yaml

MODEL = {
    "class_path": "PPD",
    "init_args": {
        "encoder": {
            "class_path": "ppvd.ViTEncoder",
            "init_args": {
                "backbone": {
                    "class_path": "ViT",
                    "init_args": {"width": 8, "depth": 1, "num_heads": 2, "patch": 4, "grid": 2},
                }
            },
        },
        "net": {
            "class_path": "CascadeDiT",
            "init_args": {"width": 16, "depth": 2, "num_heads": 2, "split": 1, "patch": 2},
        },
        "times": {"class_path": "LogitNormalTimes", "init_args": {"loc": 0.5}},
        "losses": {
            "velocity": {"class_path": "VelocityError"},
            "gradient": {"class_path": "GradientMatching"},
        },
        "weights": {"gradient": 0.2},
        "solver": "ppvd.heun",
        "num_steps": 1,
        "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 1e-3}},
        "scheduler": {"class_path": "WarmupCosine"},
    },
}
RUN = "lightning_logs/real/version_0"


def test_the_real_model_goes_through_every_verb(recipe, ppvd, capsys):
    writer = {"class_path": "DepthWriter", "init_args": {"out_dir": "predicted"}}
    real = recipe("real", model=MODEL, callbacks=[writer])
    ppvd("fit", "-c", real)
    ppvd("test", "--ckpt_path", RUN, "--model.init_args.num_steps=2")
    scores = capsys.readouterr().out
    assert "model.init_args.num_steps  1 -> 2" in scores
    assert re.search(r"^abs_rel +0\.\d+$", scores, re.MULTILINE)
    ppvd("predict", "-c", real, "--ckpt_path", RUN)
    predicted = np.load("predicted/scene0_depth.npy")
    cv2.imwrite("photo.png", np.zeros((9, 13, 3), np.uint8))
    ppvd("depth", "photo.png", "--model", RUN, "--steps", "2", "--samples", "2", "--seed", "3")
    assert predicted.shape == (8, 12)
    assert np.load("depth/photo_depth.npy").shape == (9, 13)


def test_the_encoder_is_not_in_the_checkpoint_and_its_missing_file_is_named(recipe, ppvd, refused):
    ppvd("fit", "-c", recipe("real", model=MODEL))
    (file,) = Path(RUN).glob("checkpoints/*.ckpt")
    content = torch.load(file, weights_only=True)
    assert not [name for name in content["state_dict"] if "encoder" in name]
    content["hyper_parameters"]["encoder"]["init_args"]["weights"] = "gone.safetensors"
    torch.save(content, file)
    cv2.imwrite("photo.png", np.zeros((9, 13, 3), np.uint8))
    for words in (["depth", "photo.png", "--model", RUN], ["test", "--ckpt_path", RUN]):
        code, sentence = refused(*words)
        assert code in (1, 2)
        assert "gone.safetensors" in sentence


@pytest.mark.parametrize("name", ["PPD", "ppvd.PPD", "ppvd.tasks.PPD", "ppvd.tasks.ppd.PPD"])
def test_a_class_can_be_named_in_every_way(name, recipe, ppvd, capsys):
    with pytest.raises(SystemExit) as leaving:
        ppvd("fit", "-c", recipe(model={**MODEL, "class_path": name}), "--print_config")
    composed = yaml.safe_load(capsys.readouterr().out)
    assert leaving.value.code == 0
    assert locate(composed["model"]["class_path"]) is locate("ppvd.PPD")
