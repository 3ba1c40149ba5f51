import pytest
import torch
import torch.nn.functional as F

from ppvd.geometry import no_alignment
from ppvd.metrics import FlyingPixels


def step_scene(batch=1):
    depth = torch.full((batch, 1, 16, 24), 2.0)
    depth[..., 12:] = 5.0
    return depth, torch.ones_like(depth).bool()


def test_share_of_blurred_pixels_near_the_edge():
    depth, valid = step_scene()
    blurred = depth.clone()
    blurred[..., 11] = 3.0
    metric = FlyingPixels(no_alignment())
    metric.update(blurred, depth, valid)
    # Canny marks one column; the band around it is three wide, and one of them flies.
    assert metric.compute()["flying_pixel_ratio"] == pytest.approx(1.0 / 3.0)


def test_wrong_but_sharp_depth_does_not_fly_and_blur_does():
    depth, valid = step_scene()
    sharp, blurred = FlyingPixels(no_alignment()), FlyingPixels(no_alignment())
    sharp.update(3.0 * depth, depth, valid)
    assert sharp.compute()["flying_pixel_ratio"] == 0.0
    soft = F.avg_pool2d(depth, 5, stride=1, padding=2, count_include_pad=False)
    blurred.update(soft, depth, valid)
    assert blurred.compute()["flying_pixel_ratio"] > 0.5


def test_images_without_edges_are_counted_and_broken_ones_show():
    depth, valid = step_scene(3)
    depth[1] = 3.0
    valid[2] = False
    metric = FlyingPixels(no_alignment())
    metric.update(depth, depth, valid)
    found = metric.compute()
    assert found["num_without_edges"] == 2
    assert found["flying_pixel_ratio"] == 0.0
    metric.update(torch.full_like(depth, torch.nan), depth, valid)
    assert metric.compute()["flying_pixel_ratio"].isnan()


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="radius must be at least 1 pixel, got 0"):
        FlyingPixels(radius=0)
    with pytest.raises(ValueError, match="tolerance must be positive, got 0"):
        FlyingPixels(tolerance=0.0)
