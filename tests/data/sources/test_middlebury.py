import numpy as np
import pytest

from ppvd.data.build import build_shards
from ppvd.data.check import check_shards
from ppvd.data.decode import decode
from ppvd.data.errors import ShardError
from ppvd.data.manifest import Manifest
from ppvd.data.plan import pieces
from ppvd.data.source import ShardSource
from ppvd.data.sources.middlebury import DOFFS_PX, PICTURE, Motorcycle, depth_from_disparity
from ppvd.data.stream import read_pieces

skimage_data = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def stereo():
    return skimage_data.stereo_motorcycle()


@pytest.fixture(scope="module")
def frame():
    return Motorcycle().sample(0).frames[0]


def test_the_picture_is_scikit_images(stereo, frame):
    np.testing.assert_array_equal(frame.image, stereo[0])


def test_depth_is_that_of_a_workshop(stereo, frame):
    assert np.isfinite(stereo[2]).mean() == pytest.approx(0.9265, abs=1e-4)
    assert frame.valid.mean() == pytest.approx(0.9196, abs=1e-4)
    measured = frame.depth[frame.valid]
    assert measured.min() == pytest.approx(2.110, abs=1e-3)
    assert measured.max() == pytest.approx(5.017, abs=1e-3)


def test_stored_disparity_is_the_plain_offset_between_the_pictures(stereo):
    """The right picture moved by the disparity is the left one; moved by doffs more, it is not."""
    left, right, disparity = stereo
    rows, columns = np.nonzero(np.isfinite(disparity))

    def difference(shift: float) -> float:
        source = np.rint(columns - disparity[rows, columns] - shift).astype(int)
        inside = (source >= 0) & (source < left.shape[1])
        pair = left[rows, columns][inside], right[rows, source.clip(0, left.shape[1] - 1)][inside]
        return float(np.abs(pair[0].astype(float) - pair[1]).mean())

    assert difference(0.0) < 0.7 * min(difference(2.0), difference(-2.0))
    assert difference(0.0) < 0.3 * difference(DOFFS_PX)


def test_pixels_averaged_over_an_edge_are_no_measurement():
    disparity = np.array([[10, 10, 10, 17, 30, 30, 30.5, 31, np.inf, 10]], np.float32)
    depth = depth_from_disparity(np.repeat(disparity, 3, axis=0))
    np.testing.assert_array_equal(depth[0] > 0, [1, 1, 1, 0, 1, 1, 1, 1, 0, 1])
    assert depth[0, 0] == pytest.approx(994.978 * 0.193001 / (10 + 31.086))
    upright = depth_from_disparity(np.repeat(disparity, 3, axis=0).T.copy())
    np.testing.assert_array_equal(upright, depth.T)


def test_no_flying_pixel_is_left_at_big_edges(frame):
    depth = np.where(frame.valid, frame.depth, np.nan)
    for left, middle, right in (
        (depth[:, :-2], depth[:, 1:-1], depth[:, 2:]),
        (depth[:-2], depth[1:-1], depth[2:]),
    ):
        jump = np.abs(right - left)
        gap = np.minimum(np.abs(middle - left), np.abs(middle - right))
        inside = (middle > np.minimum(left, right)) & (middle < np.maximum(left, right))
        assert not (inside & (jump > 0.4) & (gap > 0.2 * jump)).any()


def test_the_shard_holds_the_photograph_byte_for_byte(tmp_path, frame):
    build_shards(Motorcycle(), tmp_path, name="middlebury", split="test")
    assert list(check_shards(tmp_path)) == []
    assert Manifest.load(tmp_path).num_samples == 1
    shards = ShardSource(manifest=str(tmp_path)).open()
    (raw,) = read_pieces(shards, list(pieces([1], start=0, stop=1)), on_bad=pytest.fail)
    assert raw.members["png"] == (Motorcycle()._folder / PICTURE).read_bytes()
    read = decode(raw)
    np.testing.assert_array_equal(read.depth, frame.depth)
    np.testing.assert_array_equal(read.image, frame.image)


def test_a_wheel_without_the_picture_is_named(monkeypatch):
    monkeypatch.setattr("ppvd.data.sources.middlebury.PICTURE", "gone.png")
    with pytest.raises(ShardError, match=r"must carry gone\.png .* nothing is downloaded"):
        Motorcycle()
    monkeypatch.setattr("ppvd.data.sources.middlebury.find_spec", lambda _: None)
    with pytest.raises(ShardError, match="needs scikit-image"):
        Motorcycle()
