import json
import warnings
from pathlib import Path

import pytest
import torch
import yaml

from ppvd.cli import main
from ppvd.data import ShardDataModule, ShardSource
from ppvd.data.collate import with_floats
from ppvd.geometry import Alignment
from ppvd.metrics import DepthErrors
from ppvd.protocols import METRES, Unit
from ppvd.tasks import TransformersDepth

transformers = pytest.importorskip("transformers")


@pytest.fixture
def repo(tmp_path):
    """Saves a tiny model of the hub's kind with random weights, and its preprocessing."""

    def save(kind):
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            backbone = transformers.Dinov2Config(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                image_size=28,
                patch_size=14,
                out_indices=[1, 2],
                reshape_hidden_states=False,
                apply_layernorm=True,
            )
            config = transformers.DepthAnythingConfig(
                backbone_config=backbone,
                reassemble_hidden_size=16,
                reassemble_factors=[2, 1],
                neck_hidden_sizes=[8, 8],
                fusion_hidden_size=8,
                head_hidden_size=8,
                depth_estimation_type=kind,
                max_depth=20,
            )
            model = transformers.DepthAnythingForDepthEstimation(config)
            model.save_pretrained(tmp_path)
            transformers.DPTImageProcessor(
                size={"height": 28, "width": 28}, ensure_multiple_of=14, keep_aspect_ratio=True
            ).save_pretrained(tmp_path)
        return str(tmp_path)

    return save


@pytest.mark.parametrize(
    ("kind", "unit"), [("relative", Unit(space="disparity")), ("metric", METRES)]
)
def test_a_model_of_the_hub_predicts_at_the_size_of_the_picture_in_its_unit(repo, kind, unit):
    task = TransformersDepth(repo(kind))
    image = torch.rand(2, 3, 45, 60, generator=torch.Generator().manual_seed(1))
    depth = task.predict(image, keys=["a", "b"])
    assert depth.shape == (2, 1, 45, 60)
    assert depth.isfinite().all()
    assert kind == "metric" or not torch.equal(depth[0], depth[1])
    assert task.unit == unit
    assert TransformersDepth(task.repo, unit_name="log").unit == Unit(space="log")


def test_the_library_s_own_answer_is_kept(repo):
    folder = repo("relative")
    task = TransformersDepth(folder)
    task._resize = "nearest"
    image = torch.rand(1, 3, 56, 56, generator=torch.Generator().manual_seed(1))
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    picture = (255 * image[0]).round().byte().movedim(0, -1).numpy()
    inputs = processor(images=[picture], return_tensors="pt")
    model = transformers.AutoModelForDepthEstimation.from_pretrained(folder)
    with torch.no_grad():
        expected = model(**inputs).predicted_depth
    depth = task.predict(image, keys=["a"])[0, 0]
    torch.testing.assert_close(depth[::2, ::2], expected[0], rtol=1e-5, atol=1e-6)


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be one for depth estimation"):
        TransformersDepth(str(tmp_path))


def test_the_command_line_scores_a_model_of_the_hub_under_a_protocol(repo, tmp_path, monkeypatch):
    model, shards = repo("relative"), tmp_path / "shards"
    monkeypatch.chdir(tmp_path)
    size = ["--count", "2", "--size", "32", "48", "--split", "test"]
    main(["shards", "build", "synthetic", "--out", str(shards), *size])
    source = {"class_path": "ppvd.ShardDataModule"}
    bench = {
        "protocols": {"rooms": {"name": "mine/rooms", "metrics": {"errors": "ppvd.DepthErrors"}}},
        "data": source | {"init_args": {"test": {"rooms": {"manifest": str(shards)}}}},
        "trainer": {"accelerator": "cpu", "callbacks": ["ppvd.ResultsWriter"]},
    }
    Path("bench.yaml").write_text(yaml.safe_dump(bench))
    quiet = "--trainer.enable_progress_bar=false"
    main(["score", "--model", f"transformers:{model}", "--benchmark", "bench.yaml", quiet])
    results = json.loads(Path("lightning_logs/bench/version_0/results.json").read_text())
    task, expected = TransformersDepth(model), DepthErrors(Alignment(space="disparity"))
    data = ShardDataModule(test={"rooms": ShardSource(manifest=str(shards))})
    for batch in map(with_floats, data.test_dataloader()["rooms"]):
        prediction = task.predict(batch["image"], keys=batch["key"])
        expected.update(prediction, batch["depth"], batch["valid"])
    found, theirs = results["metrics"], expected.compute()
    assert found["test/rooms/abs_rel"] == pytest.approx(theirs["abs_rel"].item(), rel=1e-5)
    assert results["protocols"]["rooms"]["used"]["alignment"]["space"] == "disparity"
    assert results["sampling"]["repo"] == model
