import json

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ppvd.callbacks import DepthFiles, DepthWriter
from ppvd.geometry import DisparityCodec

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*many workers")


@pytest.fixture
def code():
    ramp = torch.linspace(-0.5, 0.5, 24).expand(16, 24).clone()
    ramp[:8] = -0.5
    return ramp[None]


def write(folder, code, name="a", **options):
    image = torch.rand(3, *code.shape[-2:], generator=torch.Generator().manual_seed(0))
    DepthFiles(**options).write(folder, name, code, image)
    return image, json.loads((folder / f"{name}.json").read_text())


def read_png(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_ends_of_the_code_are_the_given_metres(tmp_path, code):
    write(tmp_path, code, near_m=0.7, far_m=30.0)
    metres = np.load(tmp_path / "a_depth.npy")
    assert metres.dtype == np.float32
    assert metres.shape == (16, 24)
    np.testing.assert_allclose(metres[0], 0.7, rtol=1e-6)
    np.testing.assert_allclose(metres[-1, -1], 30.0, rtol=1e-6)


def test_metres_are_affine_in_log_of_depth_plus_one(tmp_path, code):
    write(tmp_path, code, near_m=0.7, far_m=30.0)
    row = np.log(np.load(tmp_path / "a_depth.npy")[-1] + 1)
    np.testing.assert_allclose(np.diff(row, 2), 0, atol=1e-5)


def test_sixteen_bits_and_their_note_give_the_metres_back(tmp_path, code):
    _, note = write(tmp_path, code)
    png = read_png(tmp_path / "a_depth.png")
    assert png.dtype == np.uint16
    near, far = note["png"]["near"], note["png"]["far"]
    decoded = near * (far / near) ** ((png.astype(float) - 1) / 65533)
    metres = np.load(tmp_path / "a_depth.npy")
    np.testing.assert_allclose(decoded, metres, rtol=0.51 * np.log(far / near) / 65533 + 1e-7)
    assert png.min() == 1
    assert png.max() == 65534


def test_values_without_meaning_are_invalid_in_the_png(tmp_path, code):
    code[0, 0, 0] = torch.nan
    code[0, 0, 1] = -9.0  # decodes to 0 m
    write(tmp_path, code)
    png = read_png(tmp_path / "a_depth.png")
    assert png[0, 0] == png[0, 1] == 0
    assert (png.reshape(-1)[2:] > 0).all()


@pytest.mark.parametrize("value", [0.2, float("nan")])
def test_constant_or_empty_maps_can_be_written(tmp_path, value):
    write(tmp_path, torch.full((1, 4, 5), value))
    png = read_png(tmp_path / "a_depth.png")
    assert (png == (1 if value == value else 0)).all()


def test_cloud_lies_in_the_stated_field_of_view(tmp_path, code):
    _, note = write(tmp_path, code, field_of_view_deg=90.0)
    header, _, body = (tmp_path / "a.ply").read_bytes().partition(b"end_header\n")
    assert b"element vertex 384" in header
    points = np.frombuffer(body, np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)]))["xyz"]
    tangent = np.abs(points[:, 0] / points[:, 2])
    assert tangent.max() == pytest.approx(23 / 24)  # centres are half a pixel inside the border
    assert note["intrinsics"][0][0] == pytest.approx(12.0)


def test_cloud_can_be_thinned(tmp_path, code):
    write(tmp_path, code, max_points=100)
    assert b"element vertex 96" in (tmp_path / "a.ply").read_bytes()[:200]


def test_preview_shows_the_image_beside_the_depth(tmp_path, code):
    image, _ = write(tmp_path, code)
    preview = read_png(tmp_path / "a_preview.png")[..., ::-1]
    shown = preview[-16:, 6 : 6 + 24]
    assert np.array_equal(shown, (image.permute(1, 2, 0) * 255).round().byte().numpy())
    depth = preview[-16:, -6 - 24 : -6].astype(int)
    assert depth[0, 0, 0] > depth[0, 0, 2]  # near is warm
    assert depth[-1, -1, 2] > depth[-1, -1, 1]  # far is cold


def test_note_comes_last(tmp_path, code, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("ppvd.callbacks.prediction_writer.write_ply", fail)
    with pytest.raises(OSError, match="disk full"):
        write(tmp_path, code)
    assert not (tmp_path / "a.json").exists()


def test_predictions_become_files(trainer, task, loader, tmp_path):
    writer = DepthWriter(tmp_path / "out")
    trainer(callbacks=[writer]).predict(task, loader(3), return_predictions=False)
    names = {file.name for file in (tmp_path / "out").iterdir()}
    endings = ("_depth.npy", "_depth.png", "_preview.png", ".ply", ".json")
    assert names == {f"scene_{index}{ending}" for index in range(3) for ending in endings}


def test_default_folder_is_the_runs(trainer, task, loader, tmp_path):
    trainer(callbacks=[DepthWriter()]).predict(task, loader(1), return_predictions=False)
    assert (tmp_path / "predictions" / "scene_0.ply").exists()


def test_equal_keys_do_not_overwrite_and_folders_stay(trainer, task, scene, tmp_path):
    keys = ["a", "a", "b/a", "../a", "/etc/a"]
    loader = DataLoader([scene(i) | {"key": key} for i, key in enumerate(keys)])
    writer = DepthWriter(tmp_path / "out")
    trainer(callbacks=[writer]).predict(task, loader, return_predictions=False)
    found = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.json")}
    assert found == {"a.json", "a_2.json", "b/a.json", "a_3.json", "etc/a.json"}
    first, second = (np.load(tmp_path / "out" / f"{n}_depth.npy") for n in ("a", "a_2"))
    assert not np.array_equal(first, second)
    trainer(callbacks=[writer]).predict(task, loader, return_predictions=False)
    assert {
        str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.json")
    } == found


def test_task_that_predicts_something_else_is_told(trainer, task, loader, monkeypatch, tmp_path):
    monkeypatch.setattr(task, "predict_step", lambda _: {"depth": torch.zeros(1)})
    built = trainer(callbacks=[DepthWriter(tmp_path)])
    with pytest.raises(ValueError, match=r"dict of code, image and key .* got \['depth'\]"):
        built.predict(task, loader(), return_predictions=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"near_m": 5.0, "far_m": 2.0}, "0 < near_m < far_m, got 5.0 and 2.0"),
        ({"near_m": 0.0}, "0 < near_m < far_m"),
        ({"field_of_view_deg": 180.0}, r"field_of_view_deg must lie in \(0, 180\), got 180.0"),
        ({"max_points": 0}, "max_points must be at least 1, got 0"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        DepthWriter(**options)


def test_disparity_is_decoded_as_such_and_said(tmp_path, code):
    image = torch.rand(3, *code.shape[-2:])
    DepthFiles(near_m=2.0, far_m=8.0).write(tmp_path, "a", code, image, codec=DisparityCodec())
    metres = np.load(tmp_path / "a_depth.npy")
    np.testing.assert_allclose(metres[0], 8.0, rtol=1e-6)  # code -0.5 is far here
    np.testing.assert_allclose(metres[-1, -1], 2.0, rtol=1e-6)
    np.testing.assert_allclose(np.diff(1 / metres[-1], 2), 0, atol=1e-6)
    note = json.loads((tmp_path / "a.json").read_text())
    assert note["depth"].endswith("up to scale and shift of 1 / depth")
