import numpy as np
import pytest

from ppvd.data.window import Window, cut, largest_window


def world_points(frame):
    """Points of the valid pixels in world coordinates, ``(n, 3)``, by the pinhole equations."""
    rows, columns = np.nonzero(frame.valid)
    z = frame.depth[rows, columns].astype(np.float64)
    (fx, _, cx), (_, fy, cy), _ = frame.intrinsics
    points = np.stack([(columns - cx) / fx * z, (rows - cy) / fy * z, z, np.ones_like(z)])
    return (frame.pose @ points)[:3].T


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", [(8, 12), (24, 36), (6, 4), (40, 60)])
def test_a_point_stays_where_the_cut_camera_sees_it(frame, size, mirrored):
    """A known pixel's ray, followed through crop, resize and mirror by its place in the picture."""
    original = frame()
    window = Window(top=5, left=7, height=16, width=24, mirrored=mirrored)
    view = cut(original, window, size=size)
    u, v = 15.0, 11.0
    new_u = (u - 7 + 0.5) * size[1] / 24 - 0.5
    new_v = (v - 5 + 0.5) * size[0] / 16 - 0.5
    if mirrored:
        new_u = size[1] - 1 - new_u
    ray = np.linalg.inv(original.intrinsics) @ [u, v, 1]
    seen = view.intrinsics @ (ray * [-1 if mirrored else 1, 1, 1])
    np.testing.assert_allclose(seen, [new_u, new_v, 1], atol=1e-12)


def test_a_crop_without_resizing_moves_no_point(frame):
    original = frame(pose=np.array([[0.0, -1, 0, 3], [1, 0, 0, 2], [0, 0, 1, 1], [0, 0, 0, 1]]))
    view = cut(original, Window(top=6, left=4, height=10, width=20), size=(10, 20))
    known = {tuple(point) for point in np.round(world_points(original), 9)}
    assert {tuple(point) for point in np.round(world_points(view), 9)} <= known
    np.testing.assert_array_equal(view.image, original.image[6:16, 4:24])
    np.testing.assert_array_equal(view.depth, original.depth[6:16, 4:24])


def test_a_mirrored_view_is_the_world_mirrored(frame):
    turn = np.array([[0.6, 0, 0.8, 3], [0, 1, 0, 2], [-0.8, 0, 0.6, 1], [0, 0, 0, 1]])
    original = frame(pose=turn)
    whole = Window(top=0, left=0, height=24, width=36, mirrored=True)
    view = cut(original, whole, size=(24, 36))
    np.testing.assert_array_equal(view.image, original.image[:, ::-1])
    np.testing.assert_array_equal(view.depth, original.depth[:, ::-1])
    assert np.linalg.det(view.pose[:3, :3]) == pytest.approx(1)
    mirrored = world_points(original) * [-1, 1, 1]
    ours = world_points(view)
    np.testing.assert_allclose(
        ours[np.lexsort(np.round(ours, 6).T)],
        mirrored[np.lexsort(np.round(mirrored, 6).T)],
        atol=1e-9,
    )


@pytest.mark.parametrize("size", [(5, 7), (12, 18), (50, 90)])
def test_no_depth_is_made_up(frame, size):
    original = frame()
    original.depth[:, 18:] *= 3
    view = cut(original, Window(top=1, left=2, height=21, width=33, mirrored=True), size=size)
    assert np.isin(view.depth, original.depth).all()
    np.testing.assert_array_equal(view.valid, view.depth > 0)
    assert not (view.sky & view.valid).any()
    assert view.sky.any()


def test_depth_is_that_of_the_pixel_under_the_new_centre(frame):
    rows, columns = np.mgrid[:24, :36]
    depth = (1 + rows * 100 + columns).astype(np.float32)
    everywhere, nowhere = np.ones((24, 36), bool), np.zeros((24, 36), bool)
    original = frame(depth=depth, valid=everywhere, sky=nowhere)
    view = cut(original, Window(top=2, left=1, height=20, width=30), size=(10, 10))
    for row in range(10):
        for column in range(10):
            v, u = 2 + (row + 0.5) * 2 - 0.5, 1 + (column + 0.5) * 3 - 0.5
            held = depth[int(np.floor(v + 0.5)), int(np.floor(u + 0.5))]
            assert view.depth[row, column] == held


def test_a_shrunk_picture_is_the_mean_of_what_it_covers(frame):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (24, 36, 3), dtype=np.uint8)
    view = cut(frame(image=image), Window(top=0, left=0, height=24, width=36), size=(8, 12))
    mean = image.reshape(8, 3, 12, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(view.image, mean, atol=0.51)


@pytest.mark.parametrize(
    ("limits", "size", "side", "expected"),
    [
        ((480, 640), (512, 512), 1.0, (480, 480)),
        ((480, 640), (512, 512), 0.5, (240, 240)),
        ((480, 640), (768, 1024), 1.0, (480, 640)),
        ((100, 640), (768, 1024), 1.0, (100, 133)),
        ((3, 3), (100, 1), 0.1, (1, 1)),
    ],
)
def test_the_largest_window_keeps_the_aspect(limits, size, side, expected):
    assert largest_window(limits, size=size, side=side) == expected
