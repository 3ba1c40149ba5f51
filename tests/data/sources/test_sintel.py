import struct

import numpy as np
import pytest

from ppvd.data.errors import ShardError
from ppvd.data.sources.sintel import Sintel

SIZE = (4, 10)
TAG = struct.pack("<f", 202021.25)
FOCAL = {1: 1120.0, 2: 1100.0, 3: 1080.0}


def dpt(depth, *, tag=TAG):
    return tag + struct.pack("<2i", depth.shape[1], depth.shape[0]) + depth.astype("<f4").tobytes()


def cam(focal, shift=(0.0, 0.0, -2.0)):
    matrix = np.array([[focal, 0, 511.5], [0, focal, 217.5], [0, 0, 1]])
    motion = np.concatenate([np.eye(3), np.array(shift)[:, None]], axis=1)
    return TAG + matrix.astype("<f8").tobytes() + motion.astype("<f8").tobytes()


@pytest.fixture
def film(tree):
    for name in ("alley_2", "cave_4"):
        for number in (1, 2, 3):
            frame = f"{name}/frame_{number:04d}"
            for rendering, seed in (("final", 0), ("clean", 9)):
                tree.picture(f"training/{rendering}/{frame}.png", SIZE, seed=seed)
            tree.bytes(f"training/depth/{frame}.dpt", dpt(np.full(SIZE, 3.0)))
            tree.bytes(f"training/camdata_left/{frame}.cam", cam(FOCAL[number]))
    return tree


def test_a_plane_at_3_m_is_at_3_m_before_a_camera_that_zooms(film, frames):
    found, left_out = frames(Sintel(raw=film.root))
    assert not left_out
    assert len(found) == 6
    for number, focal in FOCAL.items():
        frame = found[f"alley_2/{number:06d}"]
        np.testing.assert_array_equal(frame.depth, np.full(SIZE, 3, np.float32))
        assert frame.intrinsics.tolist() == [[focal, 0, 511.5], [0, focal, 217.5], [0, 0, 1]]
        assert frame.pose[:3, 3].tolist() == [0, 0, 2]


def test_far_is_sky_and_the_rendering_is_the_one_asked_for(film, frames, states):
    depth = np.full(SIZE, 70.0)
    depth[0, :5] = [1e10, np.inf, 999, 0, np.nan]
    film.bytes("training/depth/alley_2/frame_0001.dpt", dpt(depth))
    found, _ = frames(Sintel(raw=film.root, rendering="clean"))
    frame = found["alley_2/000001"]
    assert states(frame)[0, :6].tolist() == [2, 2, 1, 0, 0, 1]
    assert frame.image[0, 0, 2] == 49


def test_files_that_are_not_what_they_should_be_are_named(film, frames):
    film.bytes("training/depth/alley_2/frame_0001.dpt", dpt(np.ones(SIZE), tag=b"HEIP"))
    film.truncate("training/depth/alley_2/frame_0002.dpt")
    film.remove("training/camdata_left/alley_2/frame_0003.cam")
    film.truncate("training/camdata_left/cave_4/frame_0001.cam")
    film.remove("training/depth/cave_4/frame_0002.dpt")
    found, left_out = frames(Sintel(raw=film.root))
    assert list(found) == ["cave_4/000003"]
    assert "must begin with the tag 202021.25" in left_out["alley_2/000001"]
    assert "must hold 10x4 numbers" in left_out["alley_2/000002"]
    assert "frame_0003.cam is missing" in left_out["alley_2/000003"]
    assert "must hold 21 numbers" in left_out["cave_4/000001"]
    assert "depth file is missing" in left_out["cave_4/000002"]


def test_a_video_is_one_sample_and_shards_hold_it(film, holds):
    tree = film
    for name in ("alley_2", "cave_4"):
        for number in (1, 2, 3):
            path = f"{name}/frame_{number:04d}"
            tree.picture(f"training/final/{path}.png", (436, 1024))
            tree.bytes(f"training/depth/{path}.dpt", dpt(np.full((436, 1024), 3.0)))
    source = Sintel(raw=tree.root, clips=True, stride=2)
    assert holds(source).num_samples == 2
    assert [frame.index for frame in source.sample(1).frames] == [1, 3]


def test_two_roots_are_refused(film):
    film.bytes("other/depth/x", b"")
    film.bytes("other/final/x", b"")
    with pytest.raises(ShardError, match="must hold one folder with depth and final"):
        len(Sintel(raw=film.root))
