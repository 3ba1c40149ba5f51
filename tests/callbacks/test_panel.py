from dataclasses import replace

import numpy as np
import pytest
import torch

from ppvd.callbacks import PanelSample, draw_panel
from ppvd.callbacks.cloud import prediction_cloud, thinning, truth_cloud
from ppvd.callbacks.drawing import BAR_PX, GAP_PX, PAPER, framed, resized, side_by_side, titled
from ppvd.callbacks.panel import TILE_PX, strongest_edges


@pytest.fixture
def sample(scene):
    one = scene(0, size=(32, 48))
    tensors = {name: one[name][None] for name in ("image", "depth", "valid", "sky", "intrinsics")}
    return PanelSample(**tensors, prediction=one["depth"][None].clamp_min(1.0), key="chair")


def tile(sheet, row, column, *, size=(32, 48)):
    """Cut one of the eight pictures out of the sheet and bring it back to one pixel a pixel."""
    height = round(TILE_PX * size[0] / size[1])
    top = GAP_PX + BAR_PX + row * (GAP_PX + BAR_PX + height)
    left = GAP_PX + column * (GAP_PX + TILE_PX)
    return sheet[top : top + height, left : left + TILE_PX]


def test_sheet_has_two_rows_of_four(sample):
    sheet = draw_panel(sample)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (
        2 * (GAP_PX + BAR_PX + 192) + GAP_PX + BAR_PX,
        4 * (GAP_PX + TILE_PX) + GAP_PX,
        3,
    )


def test_image_is_shown_as_it_is(sample):
    step = TILE_PX // 48
    shown = tile(draw_panel(sample), 0, 0)[step // 2 :: step, step // 2 :: step]
    image = (sample.image[0].permute(1, 2, 0) * 255).round().numpy()
    assert (shown == image).all(-1).mean() > 0.99  # all but where the frame's line passes


def test_error_is_black_where_equal_and_bright_where_wrong(sample):
    wrong = sample.prediction.clone()
    wrong[..., 24:, 40:] *= 2
    sheet = draw_panel(replace(sample, prediction=wrong))
    error = tile(sheet, 0, 3).astype(int)
    step = TILE_PX // 48
    assert error[28 * step + 3, 10 * step + 3].max() <= 4
    assert error[28 * step + 3, 44 * step + 3].min() > 150


def test_truth_tells_sky_from_what_is_unknown(sample):
    truth = tile(draw_panel(sample), 0, 1)
    assert (truth[2, 200] == 255).all()
    assert np.ptp(truth[-2, 2].astype(int)) == 0
    assert truth[-2, 2, 0] == 96


def test_prediction_has_the_colours_of_the_truth(sample):
    sheet = draw_panel(sample)
    row = 4 * TILE_PX // 48  # below the sky, above the hole
    assert np.array_equal(tile(sheet, 0, 1)[row:150], tile(sheet, 0, 2)[row:150])


def test_close_up_shows_the_strongest_edges_enlarged(sample):
    window = strongest_edges(sample.depth, sample.valid)
    assert (window.height, window.width) == (8, 12)
    inside = sample.depth[0, 0, window.top : window.top + 8, window.left : window.left + 12]
    assert {2.0, 8.0} <= set(inside.unique().tolist())
    closer = tile(draw_panel(sample), 1, 0)[12::24, 12::24]
    image = (sample.image[0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert np.array_equal(closer, window.cut(image))


def test_border_of_a_hole_or_of_the_sky_is_no_edge(sample):
    valid = torch.ones_like(sample.valid)
    valid[..., 20:26, 30:36] = False
    flat = torch.full_like(sample.depth, 5.0) * valid
    assert strongest_edges(flat, valid)[:2] == (0, 0)


def test_sample_without_truth_can_be_drawn(sample):
    nothing = torch.zeros_like(sample.valid)
    draw_panel(replace(sample, valid=nothing, depth=sample.depth * 0))


def test_flying_points_are_red_and_only_in_the_prediction(sample):
    between = sample.prediction.clone()
    between[..., 10:20, 16] = 4.0  # between the box at 2 m and the wall at 8 m
    flown = replace(sample, prediction=between)
    cloud = prediction_cloud(flown, max_points=10**6)
    red = (cloud.colours == (255, 0, 0)).all(-1)
    assert red.sum() == 10
    assert np.allclose(cloud.points[red, 2], 4.0)
    assert len(cloud) == len(truth_cloud(flown, max_points=10**6)) == int(sample.valid.sum())
    assert not (truth_cloud(flown, max_points=10**6).colours == (255, 0, 0)).all(-1).any()


@pytest.mark.parametrize("max_points", [1, 7, 100, 1535, 1536])
def test_thinning_keeps_a_regular_grid_below_the_limit(max_points):
    keep = thinning(32, 48, max_points=max_points)[0]
    assert 1 <= keep.sum() <= max_points
    rows, columns = keep.any(1).nonzero()[:, 0], keep.any(0).nonzero()[:, 0]
    assert keep[rows][:, columns].all()
    assert len(set(rows.diff().tolist() + columns.diff().tolist())) <= 1


def test_thinning_keeps_everything_that_fits():
    assert thinning(32, 48, max_points=32 * 48).all()


def test_enlarging_repeats_pixels_and_shrinking_blends():
    picture = np.array([[[0] * 3, [200] * 3]], np.uint8)
    assert np.array_equal(np.unique(resized(picture, 8)), [0, 200])
    assert (resized(np.repeat(picture, 2, 0), 1) == 100).all()


def test_title_is_written_above_the_picture():
    picture = np.full((5, 60, 3), 7, np.uint8)
    with_title = titled(picture, "abc")
    assert np.array_equal(with_title[BAR_PX:], picture)
    assert with_title[:BAR_PX].max() > 200
    assert (titled(picture, "")[:BAR_PX] == PAPER[0]).all()


def test_pictures_stand_side_by_side_with_gaps():
    row = side_by_side([np.zeros((4, 3, 3), np.uint8)] * 2)
    assert row.shape == (4, 2 * 3 + 3 * GAP_PX, 3)


def test_frame_leaves_the_original_alone():
    picture = np.zeros((9, 9, 3), np.uint8)
    frame = framed(picture, 2, 1, 4, 5)
    assert not picture.any()
    assert frame[2, 1:6].all()
    assert frame[2:6, 5].all()
    assert not frame[3:5, 2:5].any()
