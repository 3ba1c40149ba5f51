import numpy as np
import pytest

from ppvd.data.augment import Augment, centre_cut

PLAIN = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0, "gamma": 0.0}


def views(augment, frame, count=40, size=(12, 12)):
    return [augment(frame, size=size, rng=np.random.default_rng(seed)) for seed in range(count)]


def test_chance_comes_from_the_generator_alone(frame):
    augment = Augment()
    first, again, other = (
        augment(frame(), size=(12, 16), rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    for name in ("image", "depth", "intrinsics"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))
    assert first.image.shape == (12, 16, 3)


def test_one_draw_moves_picture_depth_states_and_camera_together(frame):
    """Red and green of the toy picture say which row and column a pixel came from."""
    rows, columns = np.mgrid[:48, :48]
    image = np.stack([rows * 5, columns * 5, 0 * rows], -1).astype(np.uint8)
    depth = (1 + rows + columns / 64).astype(np.float32)
    everywhere = np.ones((48, 48), bool)
    frame = frame(size=(48, 48), image=image, depth=depth, valid=everywhere, sky=~everywhere)
    for view in views(Augment(side=(0.5, 1.0), **PLAIN), frame):
        row = view.depth.astype(np.float64) // 1 - 1
        column = (view.depth % 1) * 64
        assert np.abs(view.image[..., 0] / 5 - row).max() < 4
        assert np.abs(view.image[..., 1] / 5 - column).max() < 4
        ray = (np.arange(12) - view.intrinsics[0, 2]) / view.intrinsics[0, 0]
        old_ray = (column[0] - frame.intrinsics[0, 2]) / frame.intrinsics[0, 0]
        mirrored = column[0, 0] > column[0, -1]
        np.testing.assert_allclose(-ray if mirrored else ray, old_ray, atol=1 / 30)


def test_all_windows_and_both_hands_occur(frame):
    frame = frame(pose=None)
    augment = Augment(side=(0.3, 1.0), mirror=0.5, **PLAIN)
    focal = [view.intrinsics[0, 0] for view in views(augment, frame, 200)]
    assert min(focal) == pytest.approx(30 * 12 / 24, rel=0.05)  # the largest square is 24 wide
    assert max(focal) == pytest.approx(30 * 12 / (0.3 * 24), rel=0.15)
    slopes = [view.depth[-1, -1] > view.depth[-1, 0] for view in views(augment, frame, 200)]
    assert 0.35 < np.mean(slopes) < 0.65


@pytest.mark.parametrize(("mirror", "expected"), [(0.0, False), (1.0, True)])
def test_mirroring_can_be_fixed(frame, mirror, expected):
    for view in views(Augment(mirror=mirror), frame(), 5):
        assert (view.depth[-1, -1] < view.depth[-1, -6]) == expected


def test_a_window_with_too_little_depth_is_drawn_again(frame, monkeypatch):
    depth = np.zeros((24, 36), np.float32)
    depth[16:, 26:] = 2
    sparse = frame(depth=depth, valid=depth > 0, sky=np.zeros((24, 36), bool))

    def found() -> float:
        seen = views(Augment(side=(0.4, 0.6), **PLAIN), sparse, 60)
        return float(np.mean([np.count_nonzero(view.valid) >= 10 for view in seen]))

    redrawn = found()
    monkeypatch.setattr("ppvd.data.augment.MAX_DRAWS", 1)
    assert redrawn > 0.7 > 0.4 > found()


def test_a_frame_without_depth_still_gives_a_view(frame):
    nothing = np.zeros((24, 36), np.float32)
    empty = frame(depth=nothing, valid=nothing > 0, sky=nothing > 0)
    view = Augment()(empty, size=(8, 8), rng=np.random.default_rng(0))
    assert view.image.shape == (8, 8, 3)


def test_without_augmentation_the_middle_is_cut(frame):
    view = centre_cut(frame(), size=(24, 24))
    np.testing.assert_array_equal(view.image, frame().image[:, 6:30])
    np.testing.assert_array_equal(view.depth, frame().depth[:, 6:30])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": (0.0, 1.0)}, r"side .* got \(0.0, 1.0\)"),
        ({"side": (0.9, 0.5)}, "side"),
        ({"side": (0.5, 1.5)}, "side"),
        ({"mirror": 1.5}, r"mirror must lie in \[0, 1\], got 1.5"),
        ({"hue": 0.7}, r"hue must lie in \[0, 0.5\]"),
        ({"contrast": -0.1}, "contrast"),
    ],
)
def test_numbers_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Augment(**change)
