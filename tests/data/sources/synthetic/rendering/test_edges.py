"""Edges: sharp in depth, soft in colour."""

import numpy as np
import pytest

from ppvd.data.sources.synthetic.frames import scene_of
from ppvd.data.sources.synthetic.rendering import raycast, render
from ppvd.data.sources.synthetic.rendering.intersect import meet
from ppvd.data.sources.synthetic.rendering.raycast import Grid, line_up
from ppvd.data.sources.synthetic.rendering.render import focal_length
from ppvd.data.sources.synthetic.rendering.view import Pinhole, Stack, View
from ppvd.data.sources.synthetic.scene import Material
from ppvd.data.sources.synthetic.world.shapes import box, rod

WHITE, BLACK = Material((0.9, 0.9, 0.9), grain=0.0), Material((0.05, 0.05, 0.05), grain=0.0)
WALL = box((0.0, 6.5, 1.5), (100.0, 1.0, 100.0), WHITE)


@pytest.mark.parametrize("radius", [0.01, 0.004])
def test_a_pole_thinner_than_a_pixel_does_not_smear_depth(studio, radius):
    """A pixel is 31 mm wide at 3 m in this studio: the poles are 0.64 and 0.26 of it."""
    studio.size = (96, 128)
    lean = rod((-0.6, 3.0, 0.0), (0.9, 3.0, 3.0), radius, BLACK)
    depth = studio.picture(WALL, lean).depth
    between = (depth > 3.0 + radius) & (depth < 6.0)
    assert not between.any()
    assert (depth[depth < 6.0] > 2.98).all()


def test_rods_that_no_pixel_can_show_are_left_out(studio):
    """A pixel is 63 mm wide at 3 m in this studio."""
    bars = {
        radius: rod((-1.4, 3.0, 0.75), (1.37, 3.0, 2.31), radius, BLACK) for radius in (0.01, 0.005)
    }
    assert (studio.picture(WALL, bars[0.01]).depth < 6.0).any()
    assert (studio.picture(WALL, bars[0.005]).depth == 6.0).all()


def test_colour_is_softened_where_depth_is_not(studio):
    plank = box((0.0, 3.0, 1.5), (1.137, 0.1, 50.0), BLACK)
    picture = studio.picture(WALL, plank)
    row, depth = picture.image[24, :, 0].astype(int), picture.depth[24]
    assert set(np.unique(depth)) == {np.float32(2.95), np.float32(6.0)}
    steps = np.flatnonzero(np.diff(depth))
    assert len(steps) == 2
    dark, light = row[32], row[2]
    mixed = (row > dark + 10) & (row < light - 10)
    assert mixed.any()
    assert set(np.flatnonzero(mixed)) <= {*steps, *(steps + 1)}


def test_extra_rays_average_to_the_covered_share(studio):
    """A plank whose edge covers half of a pixel column leaves about half of the light."""
    studio.size = (48, 65)
    focal = studio.picture(WALL).intrinsics[0, 0]
    plank = box((1.0, 3.0, 1.5), (2.0, 0.1, 50.0), BLACK)
    picture = studio.picture(WALL, plank)
    column = int(np.floor(32 + 0.0 * focal))
    light, dark, edge = (picture.image[24, c, 0] / 255.0 for c in (2, 50, column))
    share = (edge**2 - dark**2) / (light**2 - dark**2)
    assert 0.3 < share < 0.7


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5, 9])
def test_every_depth_is_the_nearest_intersection_of_one_solid(seed):
    """All solids on the whole grid, without bounds or order, give the same depth to the bit."""
    scene, (height, width) = scene_of(seed), (40, 56)
    picture = render(scene, height, width)
    grid = Grid.of(height, width, focal_length(scene.camera, height, width))
    view = View.of(Stack.of(scene.solids), Pinhole.of_camera(scene.camera))
    everyone = np.ones(len(scene.solids), np.bool_)
    nearest = np.zeros((height, width))
    for subject in line_up(view, grid, among=everyone):
        w, hit = meet(subject.solid, grid.x, grid.y)
        nearest = np.maximum(nearest, np.where(hit, w, 0.0))
    depth = np.divide(1.0, nearest, out=np.zeros_like(nearest), where=nearest > 1.0 / 600.0)
    np.testing.assert_array_equal(picture.depth, depth.astype(np.float32))
    np.testing.assert_array_equal(picture.sky, nearest == 0.0)


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_only_specks_are_left_out(seed):
    """Solids that `line_up` drops inside the picture cover next to nothing."""
    scene, (height, width) = scene_of(seed), (64, 64)
    grid = Grid.of(height, width, focal_length(scene.camera, height, width))
    view = View.of(Stack.of(scene.solids), Pinhole.of_camera(scene.camera))
    everyone = np.ones(len(scene.solids), np.bool_)
    kept = {subject.row for subject in line_up(view, grid, among=everyone)}
    raw = raycast.targets(view, np.arange(len(scene.solids)))
    for row in set(range(len(scene.solids))) - kept:
        _, hit = meet(raw[row], grid.x, grid.y)
        assert hit.sum() <= 0.3 * max(height, width)


def test_work_is_bounded_by_what_solids_cover(monkeypatch):
    """Rays met per pixel stay few, though a street has hundreds of solids."""
    met = []

    def counting(solid, x, y):
        w, hit = meet(solid, x, y)
        met.append(hit.size)
        return w, hit

    monkeypatch.setattr(raycast, "meet", counting)
    streets = [seed for seed in range(12) if scene_of(seed).kind == "street"]
    solids = sum(len(scene_of(seed).solids) for seed in streets)
    for seed in streets:
        render(scene_of(seed), 64, 64)
    assert solids / len(streets) > 200
    assert sum(met) < 30 * 64 * 64 * len(streets)
    assert len(met) < 2.0 * solids
