from types import SimpleNamespace

import cv2
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.mesh.metadata import parse_plugin_metadata
from tensorboard.util.tensor_util import make_ndarray

from ppvd.callbacks import Panels, benchmark_names
from ppvd.geometry import Alignment

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*many workers")


def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0, "tensors": 0})
    return accumulator.Reload()


@pytest.fixture
def board(tmp_path):
    return TensorBoardLogger(tmp_path, name="run", default_hp_metric=False)


def test_tensorboard_gets_sheets_and_clouds_of_each_benchmark(trainer, task, loader, board):
    loaders = {"rooms": loader(), "streets": loader(1, first=7)}
    built = trainer(logger=board, callbacks=[Panels(3, max_points=100)])
    built.test(task, loaders, verbose=False)
    found = events(board.log_dir)
    keys = ["rooms/panel/scene_0", "rooms/panel/scene_1", "rooms/panel/scene_2"]
    wanted = {f"test/{key}" for key in [*keys, "streets/panel/scene_7"]}
    assert set(found.Tags()["images"]) == wanted
    meshes = {tag for tag in found.Tags()["tensors"] if "_cloud/" in tag}
    assert {tag.removesuffix("_VERTEX") for tag in meshes if tag.endswith("_VERTEX")} == {
        tag.replace("panel", kind) for tag in wanted for kind in ("truth_cloud", "prediction_cloud")
    }


def test_cloud_in_tensorboard_is_thin_upright_and_coloured(trainer, task, loader, board):
    built = trainer(logger=board, callbacks=[Panels(1, max_points=100)])
    built.test(task, {"rooms": loader()}, verbose=False)
    found = events(board.log_dir)
    tag = "test/rooms/truth_cloud/scene_0"
    content = make_ndarray(found.Tensors(f"{tag}_VERTEX")[0].tensor_proto)[0]
    assert 50 < len(content) <= 100
    assert (content[:, 2] < 0).all()  # in front of a camera that looks along -z
    assert content[0, 1] > 0 > content[-1, 1]  # the first row of pixels is on top
    colours = make_ndarray(found.Tensors(f"{tag}_COLOR")[0].tensor_proto)[0]
    assert colours.shape == content.shape
    assert colours.max() > 1  # 0 to 255, as the plugin reads them
    metadata = found.SummaryMetadata(f"{tag}_COLOR")
    assert parse_plugin_metadata(metadata.plugin_data.content).name == tag


def test_files_can_be_opened_without_tensorboard(trainer, task, loader, tmp_path):
    built = trainer(callbacks=[Panels(2)])
    built.test(task, {"rooms": loader()}, verbose=False)
    files = sorted(file.name for file in (tmp_path / "panels").iterdir())
    assert files == ["rooms_scene_0.png", "rooms_scene_1.png"]
    assert cv2.imread(str(tmp_path / "panels" / files[0])).shape[1] > 1000


def test_file_names_are_safe(trainer, task, scene, tmp_path):
    one = scene(0) | {"key": "../a b/c"}
    loader = torch.utils.data.DataLoader([one])
    trainer(callbacks=[Panels(2)]).test(task, {"rooms": loader}, verbose=False)
    assert [file.name for file in (tmp_path / "panels").iterdir()] == ["rooms_..-a-b-c.png"]


def test_other_loggers_get_nothing_and_files_can_be_left_out(trainer, task, loader, tmp_path):
    built = trainer(logger=CSVLogger(tmp_path), callbacks=[Panels(files=False)])
    built.test(task, loader(), verbose=False)
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize(("every", "steps"), [(1, [2, 4, 6, 8, 10]), (2, [4, 8])])
def test_training_draws_every_few_epochs_and_no_sanity_check(
    trainer, task, loader, board, every, steps
):
    built = trainer(
        logger=board,
        max_epochs=5,
        num_sanity_val_steps=2,
        callbacks=[Panels(1, every_n_epochs=every, files=False)],
    )
    built.fit(task, loader(), {"rooms": loader()})
    found = events(board.log_dir)
    assert [e.step for e in found.Images("val/rooms/panel/scene_0")] == steps
    assert len(found.Tensors("val/rooms/prediction_cloud/scene_0_VERTEX")) == len(steps)
    assert len(found.Tensors("val/rooms/truth_cloud/scene_0_VERTEX")) == 1  # it does not change


def test_each_sheet_has_its_own_prediction(scene, task):
    scenes = [scene(index) for index in range(3)]
    batch = torch.utils.data.default_collate(scenes)
    code = batch["depth"].log1p() + torch.arange(3.0).view(3, 1, 1, 1)
    panels = Panels(2, alignment=Alignment(solver="none", far_m=None))
    alone = SimpleNamespace(
        is_global_zero=True, sanity_checking=False, state=SimpleNamespace(fn="")
    )
    panels.on_test_batch_end(alone, task, {"prediction": code}, batch, 0)
    first, second = panels._samples[0]
    assert (first.key, second.key) == ("scene_0", "scene_1")
    assert torch.equal(second.image[0], scenes[1]["image"])
    torch.testing.assert_close(second.prediction[0].log1p(), code[1])
    panels.on_exception(alone, task, KeyboardInterrupt())
    assert not panels._samples


def test_only_the_main_process_draws(task):
    panels = Panels(files=False)
    other = SimpleNamespace(is_global_zero=False, sanity_checking=False)
    panels.on_test_batch_end(other, task, None, None, 0)
    assert not panels._samples


def test_fast_dev_run_passes(trainer, task, loader):
    built = trainer(logger=True, fast_dev_run=True, callbacks=[Panels()])
    built.fit(task, loader(), loader())


def test_task_without_a_prediction_is_told(trainer, task, loader, monkeypatch):
    monkeypatch.setattr(task, "test_step", lambda *_: None)
    with pytest.raises(
        ValueError, match="must return a dict with 'prediction' for Panels, got None"
    ):
        trainer(callbacks=[Panels()]).test(task, loader(), verbose=False)


@pytest.mark.parametrize("name", ["num_images", "every_n_epochs", "max_points"])
def test_counts_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        Panels(**{name: 0})


def test_benchmarks_are_named_by_the_loaders():
    assert benchmark_names({"nyu": 1, "kitti": 2}) == ["nyu", "kitti"]
    assert benchmark_names([1, 2]) == ["data", "data_1"]
    assert benchmark_names(object()) == ["data"]


def test_a_clip_is_aligned_whole_and_shown_by_its_first_and_last_frame(scene, task):
    frames = torch.utils.data.default_collate([scene(index) for index in range(3)])
    names = ("image", "depth", "valid", "sky", "intrinsics")
    batch = {name: frames[name][None] for name in names} | {"key": ["walk"]}
    code = batch["depth"].log1p()
    code[:, 2] += 0.5  # Drift, which an alignment of the last frame alone would hide.
    alone = SimpleNamespace(
        is_global_zero=True, sanity_checking=False, state=SimpleNamespace(fn="")
    )
    panels = Panels(3)
    panels.on_test_batch_end(alone, task, {"prediction": code}, batch, 0)
    first, last = panels._samples[0]
    assert (first.key, last.key) == ("walk-000", "walk-002")
    assert torch.equal(last.image[0], scene(2)["image"])
    whole = panels.alignment(code, batch["depth"], batch["valid"])
    assert torch.equal(last.prediction[0], whole[0, 2])
    error = (last.prediction[0] - last.depth[0])[last.valid[0]]
    assert error.abs().mean() > 0.05
