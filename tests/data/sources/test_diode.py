import numpy as np
import pytest

from ppvd.data.errors import ShardError
from ppvd.data.sources.diode import Diode, estimated_intrinsics

SIZE = (24, 32)
INDOORS = "val/indoors/scene_00021/scan_00189/00021_00189_indoors_200_010"
OUTDOOR = "val/outdoor/scene_00022/scan_00196/00022_00196_outdoor_000_300"


def write(tree, stem, depth, mask, *, seed=0):
    tree.picture(f"{stem}.png", SIZE, seed=seed)
    tree.npy(f"{stem}_depth.npy", depth)
    tree.npy(f"{stem}_depth_mask.npy", mask)


@pytest.fixture
def depth():
    return np.full((*SIZE, 1), 3, np.float32)


@pytest.fixture
def mask():
    return np.ones(SIZE, np.float64)


@pytest.mark.parametrize("prefix", ["val/", "", "diode/val/"])
def test_a_plane_at_3_m_is_at_3_m_indoors_and_in_the_open(tree, frames, holds, depth, mask, prefix):
    for stem in (INDOORS, OUTDOOR):
        write(tree, prefix + stem.removeprefix("val/"), depth, mask)
    source = Diode(raw=tree.root)
    found, left_out = frames(source)
    assert sorted(found) == ["scene_00021/scan_00189/200010", "scene_00022/scan_00196/000300"]
    assert not left_out
    for frame in found.values():
        np.testing.assert_array_equal(frame.depth, np.full(SIZE, 3, np.float32))
        assert frame.valid.all()
        assert frame.pose is None
    assert [frame.metadata["place"] for frame in found.values()] == ["indoors", "outdoor"]
    assert found["scene_00021/scan_00189/200010"].scene == "scene_00021"
    assert holds(source).num_samples == 2


def test_one_scan_may_be_the_root(tree, depth, mask):
    write(tree, INDOORS, depth, mask)
    (entry,) = Diode(raw=(tree.root / INDOORS).parent).entries
    assert entry.key == "diode/scene_00021/scan_00189/200010"


def test_only_what_the_mask_has_is_measured_and_nothing_is_clamped(
    tree, frames, states, depth, mask
):
    depth[0, :6, 0] = [0, 0.59, 351, np.nan, np.inf, -1]
    mask[1, :3] = [0, 0.5, 1]
    write(tree, INDOORS, depth, mask)
    (frame,) = frames(Diode(raw=tree.root))[0].values()
    assert states(frame)[0, :7].tolist() == [0, 1, 1, 0, 0, 0, 1]
    np.testing.assert_array_equal(frame.depth[0, 1:3], np.float32([0.59, 351]))
    assert states(frame)[1, :3].tolist() == [0, 0, 1]


def test_what_is_missing_or_broken_is_left_out_by_name(tree, frames, depth, mask):
    stems = [f"{INDOORS[:-3]}{angle:03d}" for angle in range(6)]
    for stem in stems:
        write(tree, stem, depth, mask)
    tree.remove(f"{stems[0]}_depth_mask.npy")
    tree.remove(f"{stems[1]}_depth.npy")
    tree.truncate(f"{stems[2]}_depth.npy")
    tree.npy(f"{stems[3]}_depth_mask.npy", mask[:-1])
    tree.pointer(f"{stems[4]}.png")
    found, left_out = frames(Diode(raw=tree.root))
    assert list(found) == ["scene_00021/scan_00189/200005"]
    assert "mask file is missing" in left_out["scene_00021/scan_00189/200000"]
    assert "depth file is missing" in left_out["scene_00021/scan_00189/200001"]
    assert "whole .npy" in left_out["scene_00021/scan_00189/200002"]
    assert "depth and mask must be of one size" in left_out["scene_00021/scan_00189/200003"]
    assert "LFS pointer" in left_out["scene_00021/scan_00189/200004"]


def test_the_other_split_is_not_taken(tree, depth, mask):
    write(tree, INDOORS.replace("val", "train", 1), depth, mask)
    with pytest.raises(ShardError, match="must hold frames of diode, found none"):
        len(Diode(raw=tree.root))
    assert len(Diode(raw=tree.root, split="train")) == 1


def test_the_camera_is_that_of_the_field_of_view():
    fx, fy = estimated_intrinsics((768, 1024)).diagonal()[:2]
    assert 2 * np.degrees(np.arctan(512 / fx)) == pytest.approx(42.3)
    assert 2 * np.degrees(np.arctan(384 / fy)) == pytest.approx(32.4)
    assert estimated_intrinsics((768, 1024))[:2, 2].tolist() == [511.5, 383.5]
