import numpy as np
import pytest

from ppvd.data.errors import ShardError
from ppvd.data.sources.kitti import Kitti

# Two of the set's five sizes: the second is one pixel narrower and one higher.
SIZES = {"2011_09_26_drive_0002_sync": (375, 1242), "2011_10_03_drive_0047_sync": (376, 1241)}
FIRST, SECOND = SIZES
P_RECT = "P_rect_02: 7.2e+02 0 6.1e+02 4.5e+01 0 7.3e+02 1.7e+02 2e-01 0 0 1 3e-03"


def picture_name(drive, number, root=""):
    return f"{root}{drive[:10]}/{drive}/image_02/data/{number:010d}.png"


def truth_name(drive, number, root="val/"):
    return f"{root}{drive}/proj_depth/groundtruth/image_02/{number:010d}.png"


def write(tree, drive, number, *, metres=3, rgb="", truth="val/"):
    size = SIZES[drive]
    tree.picture(picture_name(drive, number, rgb), size)
    codes = np.zeros(size, np.uint16)
    codes[100:] = 256 * metres
    tree.png(truth_name(drive, number, truth), codes)


@pytest.mark.parametrize(
    ("rgb", "truth"), [("", ""), ("", "val/"), ("raw/", "data_depth_annotated/val/")]
)
def test_a_plane_at_3_m_is_at_3_m_in_each_layout(tree, frames, holds, rgb, truth):
    for drive in SIZES:
        write(tree, drive, 69, rgb=rgb, truth=truth)
    tree.text(f"{rgb}2011_09_26/calib_cam_to_cam.txt", "calib_time: 09-Jan-2012", P_RECT)
    source = Kitti(raw=tree.root)
    found, left_out = frames(source)
    assert not left_out
    assert list(found) == [f"{FIRST}/000069", f"{SECOND}/000069"]
    for frame, size in zip(found.values(), SIZES.values(), strict=True):
        assert frame.depth.shape == size
        np.testing.assert_array_equal(np.unique(frame.depth), np.float32([0, 3]))
        assert not frame.valid[:100].any()
        assert not frame.sky.any()
    read, published = found.values()
    assert read.intrinsics.tolist() == [[720, 0, 610], [0, 730, 170], [0, 0, 1]]
    assert read.metadata["calibration"] == "calib_cam_to_cam.txt"
    assert published.intrinsics.tolist() == [
        [718.856, 0, 607.1928],
        [0, 718.856, 185.2157],
        [0, 0, 1],
    ]
    assert published.metadata["calibration"] == "published for the day"
    assert holds(source).num_samples == 2


def test_steps_are_of_a_256th_of_a_metre_and_no_depth_is_clamped(tree, frames):
    write(tree, FIRST, 5)
    codes = np.zeros(SIZES[FIRST], np.uint16)
    codes[0, :6] = [0, 1, 25, 255, 256, 20481]
    tree.png(truth_name(FIRST, 5), codes)
    (frame,) = frames(Kitti(raw=tree.root))[0].values()
    assert frame.depth[0, :7].tolist() == [0, 1 / 256, 25 / 256, 255 / 256, 1, 20481 / 256, 0]


def test_the_list_decides_which_frames_count(tree, tmp_path, frames):
    for number in (5, 6, 7):
        write(tree, FIRST, number, truth="")
    lines = tmp_path / "eigen.txt"
    rows = [(number, truth_name(FIRST, number, "")) for number in (7, 5, 9)] + [(6, "None")]
    lines.write_text(
        "".join(f"{picture_name(FIRST, number)} {truth} 721.5377\n" for number, truth in rows)
    )
    source = Kitti(raw=tree.root, keep=lines)
    found, left_out = frames(source)
    assert list(found) == [f"{FIRST}/000007", f"{FIRST}/000005"]
    assert left_out == {f"{FIRST}/000009": "its picture and ground truth is missing"}
    notes = source.notes()
    assert (notes["listed"], notes["listed_without_truth"]) == (4, 1)
    before = source.describe()
    lines.write_text(lines.read_text().replace("None", "none"))
    assert Kitti(raw=tree.root, keep=lines).notes() != notes
    assert before["keep"] == "eigen.txt"


def test_a_list_of_something_else_is_refused(tree, tmp_path):
    write(tree, FIRST, 5)
    lines = tmp_path / "list.txt"
    lines.write_text("2011_09_26_drive_0002_sync 0000000005 l\n")
    with pytest.raises(ShardError, match=r"list\.txt must name picture and truth"):
        len(Kitti(raw=tree.root, keep=lines))


def test_truth_decides_which_pictures_count_and_the_split_which_drives(tree, frames):
    write(tree, FIRST, 5, truth="train/")
    write(tree, SECOND, 5)
    write(tree, SECOND, 6)
    tree.remove(picture_name(SECOND, 6))
    tree.picture(picture_name(SECOND, 0), SIZES[SECOND])
    found, left_out = frames(Kitti(raw=tree.root, split="val"))
    assert list(found) == [f"{SECOND}/000005"]
    assert left_out == {f"{SECOND}/000006": "its picture file is missing"}
    assert [entry.key for entry in Kitti(raw=tree.root, split="train").entries] == [
        f"kitti/{FIRST}/000005"
    ]


def test_a_drive_is_one_video_in_order_of_its_frames(tree):
    for number in (10, 9, 11):
        write(tree, FIRST, number)
    sample = Kitti(raw=tree.root, split="val", clips=True, frames_per_clip=2).sample(0)
    assert [frame.index for frame in sample.frames] == [9, 10]


def test_a_drive_that_lacks_a_picture_is_no_video(tree, frames):
    for number in (9, 10):
        write(tree, FIRST, number)
    tree.remove(picture_name(FIRST, 10))
    found, left_out = frames(Kitti(raw=tree.root, split="val", clips=True))
    assert not found
    assert left_out == {f"{FIRST}/000009-002": "frame 10: its picture file is missing"}


def test_broken_truth_is_left_out(tree, frames):
    for number in (1, 2, 3, 4):
        write(tree, FIRST, number)
    tree.png(truth_name(FIRST, 1), np.zeros(SIZES[FIRST], np.uint8))
    tree.truncate(truth_name(FIRST, 2), 0.9)
    tree.png(truth_name(FIRST, 3), np.zeros(SIZES[SECOND], np.uint16))
    tree.text("2011_09_26/calib_cam_to_cam.txt", "P_rect_03: 1 2 3")
    _, left_out = frames(Kitti(raw=tree.root))
    assert "must be a grey picture of 16 bits" in left_out[f"{FIRST}/000001"]
    assert f"{FIRST}/000002" in left_out
    assert "must hold P_rect_02" in left_out[f"{FIRST}/000004"]
    tree.remove("2011_09_26/calib_cam_to_cam.txt")
    _, left_out = frames(Kitti(raw=tree.root))
    assert "must be of one size" in left_out[f"{FIRST}/000003"]
    assert f"{FIRST}/000004" not in left_out
