"""Clips as strips, slices and films."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ppvd.callbacks import ClipPanels, PanelSample
from ppvd.callbacks.clip_panel import TIME_PX, draw_slice, draw_strip, draw_video, gif

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def clip_batch(scene, *, frames=8):
    """A clip whose depth grows from frame to frame."""
    one = {k: v[None, None] for k, v in scene(0).items() if isinstance(v, torch.Tensor)}
    batch = {name: value.repeat_interleave(frames, dim=1) for name, value in one.items()}
    batch["depth"] = batch["depth"] * torch.linspace(1, 2, frames).reshape(1, -1, 1, 1, 1)
    return batch | {"key": ["walk"], "source": ["toy"]}


def sample_of(batch, prediction=None):
    maps = ("image", "depth", "valid", "sky", "intrinsics")
    depth = batch["depth"] if prediction is None else prediction
    return PanelSample(**{name: batch[name] for name in maps}, prediction=depth, key="walk")


def end(panels, batch, code, *, folder, loggers=()):
    trainer = SimpleNamespace(
        is_global_zero=True,
        sanity_checking=False,
        state=SimpleNamespace(fn="test"),
        test_dataloaders={"walks": None},
        global_step=3,
        log_dir=str(folder),
        loggers=list(loggers),
    )
    panels.setup(trainer, None, "test")
    panels.on_test_batch_end(trainer, None, {"prediction": code}, batch, 0)
    panels.on_test_end(trainer, None)


def test_a_clip_is_shown_as_strip_slice_and_film_in_tensorboard_and_as_files(scene, tmp_path):
    batch = clip_batch(scene)
    code = 3 / batch["depth"].clamp_min(0.1) - 1  # Affine in disparity.
    board = TensorBoardLogger(tmp_path, name="run", default_hp_metric=False)
    end(ClipPanels(), batch, code, folder=tmp_path, loggers=[board])
    board.experiment.flush()
    found = EventAccumulator(board.log_dir, size_guidance={"images": 0}).Reload()
    tags = [f"test/walks/{kind}/walk" for kind in ("slice", "strip", "video")]
    assert sorted(found.Tags()["images"]) == tags
    film = found.Images("test/walks/video/walk")[0].encoded_image_string
    assert Image.open(io.BytesIO(film)).n_frames == 8
    names = {f"walks_walk_{kind}" for kind in ("slice.png", "strip.png", "video.gif")}
    assert {path.name for path in (tmp_path / "panels").iterdir()} == names
    assert (tmp_path / "panels" / "walks_walk_video.gif").read_bytes() == film


def test_images_are_passed_over(scene, tmp_path):
    batch = {k: v[:, 0] if torch.is_tensor(v) else v for k, v in clip_batch(scene).items()}
    end(ClipPanels(), batch, batch["depth"], folder=tmp_path)
    assert not (tmp_path / "panels").exists()


def test_only_the_first_clips_are_shown(scene, tmp_path):
    first, second = clip_batch(scene), clip_batch(scene)
    both = {k: torch.cat([v, second[k]]) for k, v in first.items() if torch.is_tensor(v)}
    both |= {"key": ["walk", "run"], "source": ["toy", "toy"]}
    end(ClipPanels(1), both, both["depth"], folder=tmp_path)
    assert len(list((tmp_path / "panels").iterdir())) == 3


def test_flicker_is_stripes_across_the_slice_of_the_prediction(scene):
    batch = clip_batch(scene)
    steady = batch["depth"][:, :1].expand_as(batch["depth"]).clamp_min(1.0)
    flicker = steady * torch.tensor([1.0, 1.5] * 4).reshape(1, 8, 1, 1, 1)
    spreads = []
    for prediction in (steady, flicker):
        picture = draw_slice(sample_of(batch, prediction)).astype(int)
        predicted = picture[30 : 20 + 8 * TIME_PX, -200:-50]  # below the title, right tile
        spreads.append(np.abs(np.diff(predicted, axis=0)).max())
    assert spreads[0] == 0
    assert spreads[1] > 20


def test_a_frame_of_the_film_and_of_the_strip_is_the_frame(scene):
    batch = clip_batch(scene, frames=3)
    batch["image"] = torch.linspace(0, 1, 3).reshape(1, 3, 1, 1, 1).expand_as(batch["image"])
    sample = sample_of(batch)
    film = draw_video(sample)
    assert len(film) == 3
    assert [int(frame[20, 20, 0]) for frame in film] == [0, 128, 255]
    strip = draw_strip(sample)
    assert [int(strip[60, x, 0]) for x in (40, 40 + 166, 40 + 332)] == [0, 128, 255]


def test_a_gif_plays_at_its_rate_without_end():
    film = gif([np.full((4, 6, 3), level, np.uint8) for level in (0, 90, 200)], fps=10)
    picture = Image.open(io.BytesIO(film))
    assert picture.n_frames == 3
    assert picture.info["duration"] == 100
    assert picture.info["loop"] == 0


def test_a_clip_without_truth_is_drawn_all_the_same(scene):
    batch = clip_batch(scene)
    batch["valid"] = torch.zeros_like(batch["valid"])
    assert draw_strip(sample_of(batch, batch["depth"] + 1)).ndim == 3
