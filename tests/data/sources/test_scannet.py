import numpy as np
import pytest

from ppvd.data.errors import ShardError
from ppvd.data.sources.scannet import ScanNet

SIZE = (12, 16)
SCAN = "scans/scene0707_00"
INTRINSICS = [(14.0, 0, 7.5, 0), (0, 14.5, 5.5, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
POSE = [(1, 0, 0, 1), (0, 1, 0, 2), (0, 0, 1, 3), (0, 0, 0, 1)]
LOST = [("-inf",) * 4] * 4


def write(tree, number, *, scan=SCAN, colour=SIZE, codes=None, pose=POSE, name="{}"):
    stem = name.format(number)
    tree.picture(f"{scan}/color/{stem}.jpg", colour)
    tree.png(f"{scan}/depth/{stem}.png", np.full(SIZE, 3000, np.uint16) if codes is None else codes)
    tree.text(f"{scan}/pose/{stem}.txt", *pose)
    tree.text(f"{scan}/intrinsic/intrinsic_depth.txt", *INTRINSICS)


def test_a_wall_at_3_m_is_at_3_m_and_names_without_zeros_are_in_order(tree, frames, holds):
    for number in (10, 0, 2, 1, 11):
        write(tree, number, pose=LOST if number == 1 else POSE)
    source = ScanNet(raw=tree.root)
    found, left_out = frames(source)
    assert not left_out
    assert [frame.index for frame in found.values()] == [0, 1, 2, 10, 11]
    for frame in found.values():
        np.testing.assert_array_equal(frame.depth, np.full(SIZE, 3, np.float32))
        assert frame.intrinsics.tolist() == [[14, 0, 7.5], [0, 14.5, 5.5], [0, 0, 1]]
        assert frame.scene == "scene0707"
    assert found["scene0707_00/000001"].pose is None
    assert found["scene0707_00/000002"].pose[:3, 3].tolist() == [1, 2, 3]
    assert holds(source).num_samples == 5


def test_zero_and_overflow_are_unknown_and_no_depth_is_clamped(tree, frames, states):
    codes = np.full(SIZE, 10000, np.uint16)
    codes[0, :5] = [0, 65535, 9, 11, 65534]
    write(tree, 0, codes=codes)
    (frame,) = frames(ScanNet(raw=tree.root))[0].values()
    assert states(frame)[0, :6].tolist() == [0, 0, 1, 1, 1, 1]
    np.testing.assert_allclose(frame.depth[0, 2:6], [0.009, 0.011, 65.534, 10], rtol=1e-6)


def test_a_larger_picture_is_shrunk_to_the_size_of_depth_and_no_other_is_touched(tree):
    write(tree, 0, colour=(24, 32))
    write(tree, 1)
    source = ScanNet(raw=tree.root)
    shrunk, same = source.sample(0), source.sample(1)
    assert shrunk.frames[0].image.shape == (*SIZE, 3)
    assert shrunk.pictures == ()
    assert same.pictures == ((tree.root / SCAN / "color/1.jpg").read_bytes(),)
    np.testing.assert_allclose(shrunk.frames[0].image[3, 4], [35 - 2, 27 - 1, 40], atol=4)


def test_one_scan_may_be_the_root(tree):
    write(tree, 0)
    assert ScanNet(raw=tree.root / SCAN).entries[0].key == "scannet/scene0707_00/000000"


def test_shrinking_averages(tree):
    write(tree, 0)
    tree.remove(f"{SCAN}/color/0.jpg")
    stripes = np.zeros((24, 32, 3), np.uint8)
    stripes[::2] = 200
    tree.png(f"{SCAN}/color/0.png", stripes)
    assert (ScanNet(raw=tree.root).sample(0).frames[0].image == 100).all()


def test_a_stream_of_another_unit_is_refused(tree, sens, frames):
    sens(tree.path("scene0707_00.sens"), poses=[np.eye(4)], depth=[3000] * 12, steps=5000.0)
    _, left_out = frames(ScanNet(raw=tree.root))
    assert left_out == {"scene0707_00/000000": "depth must have 1000 steps a metre, got 5000.0"}


def test_a_copy_without_intrinsics_gets_nominal_ones_at_their_size_alone(tree, frames):
    tree.picture("scene0406_02/color/000300.jpg", (480, 640))
    tree.png("scene0406_02/depth/000300.png", np.full((480, 640), 3000, np.uint16))
    tree.picture("scene0406_01/color/000300.jpg", SIZE)
    tree.png("scene0406_01/depth/000300.png", np.full(SIZE, 3000, np.uint16))
    found, left_out = frames(ScanNet(raw=tree.root))
    frame = found["scene0406_02/000300"]
    assert frame.intrinsics[0].tolist() == [577.870605, 0, 319.5]
    assert frame.metadata["intrinsics"] == "nominal"
    assert frame.pose is None
    assert "must be of size (480, 640)" in left_out["scene0406_01/000300"]


def test_lists_of_frames_and_of_scans_are_understood(tree, tmp_path, frames):
    for number in (0, 100, 200):
        write(tree, number, scan="scene0406_02", name="{:06d}")
        write(tree, number, scan="scene0025_00", name="{:06d}")
    lines = tmp_path / "list.txt"
    stems = [
        "scene0406_02 000200",
        "scene0406_02 000100",
        "scene0025_00 000300",
        "scene0001_00 000000",
    ]
    parts = [stem.split() for stem in stems]
    lines.write_text("".join(f"{s}/color/{n}.jpg {s}/depth/{n}.png\n" for s, n in parts))
    found, left_out = frames(ScanNet(raw=tree.root, keep=lines))
    assert list(found) == ["scene0406_02/000200", "scene0406_02/000100"]
    assert list(left_out) == ["scene0025_00/000300", "scene0001_00/000000"]
    lines.write_text("scene0025_00\nscene0002_00\n")
    found, left_out = frames(ScanNet(raw=tree.root, keep=lines))
    assert [key[-6:] for key in found] == ["000000", "000100", "000200"]
    assert left_out == {"scene0002_00/000000": "its scan or frame is missing"}
    lines.write_text("color/000300.jpg\n")
    with pytest.raises(ShardError, match=r"must name frames or scans, got color/000300\.jpg"):
        len(ScanNet(raw=tree.root, keep=lines))


def test_a_stream_gives_what_it_holds(tree, sens, frames, holds):
    poses = [np.eye(4), np.full((4, 4), -np.inf), np.eye(4)]
    path = tree.path(f"{SCAN}/scene0707_00.sens")
    sens(path, poses=poses, depth=[3000] * 10 + [0, 65535], intrinsics_scale=1 / 160)
    source = ScanNet(raw=tree.root, stride=2)
    found, left_out = frames(source)
    assert not left_out
    assert list(found) == ["scene0707_00/000000", "scene0707_00/000002"]
    frame = found["scene0707_00/000002"]
    np.testing.assert_array_equal(frame.depth.ravel(), np.float32([3] * 10 + [0, 0]))
    np.testing.assert_allclose(frame.image, 20, atol=3)
    assert frame.intrinsics[0, 0] == pytest.approx(578 / 160)
    assert source.notes() == {"scans": {"sens": 1, "exported": 0}}
    assert frames(ScanNet(raw=tree.root))[0]["scene0707_00/000001"].pose is None
    assert holds(source).num_samples == 2


def test_a_stream_that_broke_off_says_what_is_missing(tree, sens, frames):
    path = tree.path("scene0707_00.sens")
    sens(path, poses=[np.eye(4)] * 3, depth=[3000] * 12)
    path.write_bytes(path.read_bytes()[:-1])
    found, left_out = frames(ScanNet(raw=tree.root))
    assert len(found) == 2
    assert left_out == {"scene0707_00/000002": "the scan breaks off after 2 of 3 frames"}


def test_exported_frames_go_before_the_stream_they_come_from(tree, sens):
    write(tree, 0)
    sens(tree.path(f"{SCAN}/scene0707_00.sens"), poses=[np.eye(4)] * 3, depth=[3000] * 12)
    assert len(ScanNet(raw=tree.root)) == 1


def test_what_is_missing_or_broken_is_left_out_by_name(tree, frames):
    for number in range(5):
        write(tree, number)
    tree.remove(f"{SCAN}/depth/0.png")
    tree.truncate(f"{SCAN}/color/1.jpg", 0.1)
    tree.remove(f"{SCAN}/pose/2.txt")
    tree.text(f"{SCAN}/pose/3.txt", "1 0 0")
    found, left_out = frames(ScanNet(raw=tree.root))
    assert list(found) == ["scene0707_00/000002", "scene0707_00/000004"]
    assert found["scene0707_00/000002"].pose is None
    assert "depth file is missing" in left_out["scene0707_00/000000"]
    assert "cannot be read" in left_out["scene0707_00/000001"]
    assert "pose/3.txt must hold 4x4 numbers" in left_out["scene0707_00/000003"]
