"""What is said of a visible point, against what depth alone tells."""

import numpy as np
import pytest

from ppvd.data.sources.synthetic.rendering.intersect import meet
from ppvd.data.sources.synthetic.rendering.raycast import Grid, line_up
from ppvd.data.sources.synthetic.rendering.surface import Plans, describe
from ppvd.data.sources.synthetic.rendering.target import targets
from ppvd.data.sources.synthetic.rendering.view import Pinhole, Stack, View
from ppvd.data.sources.synthetic.scene import Camera, Light, Material, Shape, Solid
from ppvd.data.sources.synthetic.world.shapes import ball, box, lattice, placed, rod

GREY = Material((0.5, 0.5, 0.5))
CAMERA = Camera((0.2, -0.1, 1.5), yaw=0.1, pitch=-0.1, roll=0.05, view_deg=50.0)
LAMP = np.array([-1.0, 0.5, 2.2])
HEIGHT, WIDTH, FOCAL = 60, 80, 120.0

SHAPES = {
    "box": [box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), GREY)],
    "roof": [box((0.0, 0.0, 0.0), (1.2, 1.4, 0.8), GREY, taper=(0.1, 0.5))],
    "funnel": [box((0.0, 0.0, 0.0), (0.6, 0.6, 0.9), GREY, taper=(1.4, 1.2))],
    "ball": [ball((0.0, 0.0, 0.0), (0.4, 0.7, 0.5), GREY)],
    "cylinder": [rod((0.0, 0.0, -0.5), (0.1, 0.2, 0.4), 0.5, GREY)],
    "cone": [rod((0.0, 0.0, -0.5), (0.1, -0.1, 0.6), 0.6, GREY, end_radius=0.1)],
    "lattice": [lattice((0.0, 0.0, 0.0), (1.5, 1.0), GREY, period_m=0.5, fill=0.9)],
}


def seen(solid):
    """Return grid, ``w``, hits and the surface at every pixel where ``solid`` is seen."""
    pinhole = Pinhole.of_camera(CAMERA)
    grid = Grid.of(HEIGHT, WIDTH, FOCAL)
    view = View.of(Stack.of([solid]), pinhole)
    (subject,) = line_up(view, grid, among=np.ones(1, np.bool_))
    w, hit = meet(subject.solid, grid.x, grid.y)
    light = Light(tuple(LAMP), (1.0,) * 3, (0.0,) * 3, shadow=1.0, bounce=1.0)
    x, y = (np.broadcast_to(axis, w.shape)[hit] for axis in (grid.x, grid.y))
    rows = np.zeros(hit.sum(), np.int64)
    surface = describe(Plans(view, pinhole, light), rows, x, y, w[hit], pixel=1.0 / FOCAL)
    rays = np.stack([*np.broadcast_arrays(grid.x, grid.y), np.ones(w.shape)], axis=-1)
    points = pinhole.origin + (rays @ pinhole.matrix.T) / np.where(hit, w, np.nan)[..., None]
    return points, hit, surface


def normals_of(points):
    """Return normals towards the camera from differences of neighbours, NaN at the border."""
    across = points[1:-1, 2:] - points[1:-1, :-2]
    down = points[2:, 1:-1] - points[:-2, 1:-1]
    normal = np.full(points.shape, np.nan)
    cross = np.cross(across, down)
    normal[1:-1, 1:-1] = cross / np.linalg.norm(cross, axis=-1, keepdims=True)
    back = np.sum(normal * (points - np.array(CAMERA.position)), axis=-1) > 0
    return np.where(back[..., None], -normal, normal)


def agree(solid):
    points, hit, surface = seen(solid)
    normal = normals_of(points)[hit]
    to_lamp = LAMP - points[hit]
    distance = np.linalg.norm(to_lamp, axis=1)
    toward = np.maximum((normal * to_lamp).sum(1) / distance, 0.0)
    plain = np.isfinite(toward)
    np.testing.assert_allclose(surface.distance, distance, rtol=1e-4)
    np.testing.assert_allclose(surface.height, points[hit][:, 2], atol=5e-5)
    close = np.abs(surface.toward - toward)[plain] < 0.06
    close &= np.abs(surface.up - normal[:, 2])[plain] < 0.06
    assert close.size > 150
    assert close.mean() > 0.85
    return surface


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("yaw", [0.3, 1.9])
def test_surfaces_face_the_way_their_depth_says(name, yaw):
    agree(*placed(SHAPES[name], at=(0.1, 3.5, 1.2), yaw=yaw))


def test_walls_of_a_room_face_inwards():
    surface = agree(Solid(Shape.ROOM, (0.0, 2.0, 1.4), (1.5, 2.5, 1.4), GREY))
    assert (surface.toward > 0.0).all()
    assert surface.corner.min() < 0.05
    assert 1.0 < surface.corner.max() < 2.0


def test_the_ground_faces_up():
    surface = agree(Solid(Shape.GROUND, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), GREY))
    np.testing.assert_allclose(surface.up, 1.0)


def test_everything_is_single_precision_metres_on_the_face():
    surface = seen(*placed(SHAPES["box"], at=(0.1, 3.5, 1.2), yaw=0.3))[2]
    for name in ("u", "v", "depth", "footprint", "toward", "distance", "up", "height", "corner"):
        assert getattr(surface, name).dtype == np.float32, name
    assert np.abs(surface.u).max() <= 0.5001
    np.testing.assert_array_equal(surface.half_u, np.float32(0.5))
    assert set(np.unique(surface.axis)) <= {0, 1, 2}


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_is_met_behind_the_camera(name):
    (solid,) = placed(SHAPES[name], at=(0.1, -3.5, 1.2))
    pinhole, grid = Pinhole.of_camera(CAMERA), Grid.of(HEIGHT, WIDTH, FOCAL)
    view = View.of(Stack.of([solid]), pinhole)
    assert not line_up(view, grid, among=np.ones(1, np.bool_))
    (target,) = targets(view, np.arange(1))
    assert not meet(target, grid.x, grid.y)[1].any()
