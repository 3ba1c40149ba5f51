import json

import numpy as np
import pytest

from ppvd.data.errors import ShardError
from ppvd.data.sources.urbansyn import UrbanSyn

SIZE = (33, 65)
CAMERA = {"focalLength_mm": 30.0, "sensorWidth_mm": 36.0, "sensorHeight_mm": 18.0}


@pytest.fixture
def view(tree):
    """Writes one view: picture, depth in units of 100 km, and its classes."""
    lens = {"parameters": [{"Camera": CAMERA}]}
    tree.bytes("urbansyn/camera_metadata.json", json.dumps(lens).encode())

    def write(number, metres=12.0, *, dtype=np.float32, channel="Y", classes=None, channels=3):
        stored = (np.broadcast_to(metres, SIZE) / 1e5).astype(dtype)
        tree.exr(f"urbansyn/depth/depth_{number:04d}.exr", **{channel: stored})
        if classes is not None:
            tree.png(f"urbansyn/ss/ss_{number:04d}.png", classes.astype(np.uint8))
        return tree.picture(f"urbansyn/rgb/rgb_{number:04d}.png", SIZE, channels=channels)

    return write


def test_twelve_metres_come_back_as_twelve_metres(view, frames, tree):
    image = view(1)
    read, left_out = frames(UrbanSyn(raw=tree.root))
    frame = read["rgb/000001"]
    np.testing.assert_allclose(frame.depth, 12.0, rtol=1e-6)
    np.testing.assert_array_equal(frame.image, image)
    camera = [[65 * 30 / 36, 0, 32], [0, 33 * 30 / 18, 16], [0, 0, 1]]
    np.testing.assert_allclose(frame.intrinsics, camera)
    assert frame.pose is None
    assert not left_out


def test_sky_is_what_the_classes_say_and_what_is_far(view, frames, tree, states):
    metres = np.full(SIZE, 12.0)
    metres[0, :5] = [1000, 200.1, 199.9, 80.01, 0]
    metres[1, :4] = [np.nan, np.inf, -3, 5]
    classes = np.zeros(SIZE)
    classes[1, 3] = 10
    view(1, metres, classes=classes)
    (frame,) = frames(UrbanSyn(raw=tree.root))[0].values()
    assert states(frame)[0, :5].tolist() == [2, 2, 1, 1, 0]
    assert states(frame)[1, :4].tolist() == [0, 2, 0, 2]
    assert frame.depth[0, 2] == pytest.approx(199.9)
    (near,) = frames(UrbanSyn(raw=tree.root, sky_beyond_m=100.0))[0].values()
    assert states(near)[0, 2] == 2


def test_the_variants_of_the_file_that_were_seen_are_read(view, frames, tree):
    view(1, dtype=np.float16)
    view(2, channel="R")
    view(3, channels=4)
    view(4)
    depth = tree.root / "urbansyn/depth"
    (depth / "depth_0004.exr").rename(depth / "depth_0004.exr.1")
    read, left_out = frames(UrbanSyn(raw=tree.root))
    assert len(read) == 4
    assert not left_out
    assert read["rgb/000002"].metadata["depth_channel"] == "R"
    for frame in read.values():
        np.testing.assert_allclose(frame.depth, 12.0, rtol=2e-3)


def test_unfit_views_are_named(view, frames, tree):
    for number in range(1, 8):
        view(number)
    tree.remove("urbansyn/depth/depth_0001.exr")
    tree.remove("urbansyn/rgb/rgb_0002.png")
    tree.pointer("urbansyn/depth/depth_0003.exr")
    tree.truncate("urbansyn/depth/depth_0004.exr")
    tree.picture("urbansyn/rgb/rgb_0005.png", (32, 64))
    tree.png("urbansyn/rgb/rgb_0006.png", np.zeros((*SIZE, 3), np.uint16))
    read, left_out = frames(UrbanSyn(raw=tree.root))
    assert list(read) == ["rgb/000007"]
    reasons = [left_out[f"rgb/{number:06d}"] for number in range(1, 7)]
    expected = [
        "its depth file is missing",
        "its picture file is missing",
        "depth_0003.exr is a Git LFS pointer",
        "depth_0004.exr must be a whole EXR file",
        "must be of one size",
        "rgb_0006.png must have 8 bits a channel, got 16",
    ]
    assert all(part in reason for part, reason in zip(expected, reasons, strict=True)), reasons


def test_a_download_without_its_camera_is_named(view, tree):
    view(1)
    tree.remove("urbansyn/camera_metadata.json")
    with pytest.raises(ShardError, match=r"urbansyn needs .*camera_metadata\.json"):
        UrbanSyn(raw=tree.root).sample(0)


def test_shards_hold_what_was_read(view, holds, tree):
    for number in range(1, 4):
        view(number, 5.0 + number)
    manifest = holds(UrbanSyn(raw=tree.root))
    assert (manifest.num_samples, manifest.left_out) == (3, ())
    assert manifest.licence == "CC BY-SA 4.0"
