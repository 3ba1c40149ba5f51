from pathlib import Path

import pytest

from ppvd.predictions.names import NameIndex


def index(*names):
    return NameIndex([(Path(name), Path(name).with_suffix("")) for name in names])


def test_the_number_and_the_folders_tell_an_image():
    files = index(
        "test/kitchen_0004/pred_0001.npy",
        "test/kitchen_0004/pred_0011.npy",
        "test/office_0003/pred_0001.npy",
    )
    (found,) = files.find("nyuv2/kitchen_0004/000001")
    assert found == Path("test/kitchen_0004/pred_0001.npy")
    assert files.find("nyuv2/office_0003/000001") == [Path("test/office_0003/pred_0001.npy")]
    assert files.find("nyuv2/kitchen_0004/000011") == [Path("test/kitchen_0004/pred_0011.npy")]


def test_two_groups_of_digits_may_make_one_number():
    name = "scene_00021/scan_00189/pred_00021_00189_indoors_200_010.npy"
    assert index(name).find("diode/scene_00021/scan_00189/200010") == [Path(name)]


def test_capitals_and_dots_are_as_in_keys():
    name = "Office/DSC_0219.JPG.npy"
    assert index(name).find("eth3d/office/000219") == [Path(name)]


def test_the_very_key_goes_first():
    files = index("set/test-0/000001.npz", "other/set/test-0/000001.npz")
    assert files.find("set/test-0/000001") == [Path("set/test-0/000001.npz")]


def test_a_video_has_one_file_or_its_frames_in_order_of_numbers():
    assert index("scene0707_00_depths.npz", "scene0708_00_depths.npz").find(
        "scannet/scene0707_00-500"
    ) == [Path("scene0707_00_depths.npz")]
    frames = [f"scene0707_00/color/{number}.npy" for number in (10, 9, 100)]
    found = index(*frames, "scene0708_00/color/9.npy").find("scannet/scene0707_00-500")
    assert [path.stem for path in found] == ["9", "10", "100"]


def test_a_name_within_a_longer_one_is_another():
    files = index("scene0707_001_depths.npz", "scene0707_00_depths.npz")
    assert files.find("scannet/scene0707_00-003") == [Path("scene0707_00_depths.npz")]


def test_what_is_missing_or_ambiguous_is_said():
    files = index("a/x_1.npy", "b/x_1.npy", "b/x_2.npy")
    with pytest.raises(ValueError, match="a file for each sample, found none for set/a/000003"):
        files.find("set/a/000003")
    with pytest.raises(ValueError, match="a file for each sample, found none for set/c/000001"):
        files.find("set/c/000001")
    twice = index("b/x_1.npy", "b/y_1.npy")
    with pytest.raises(ValueError, match=r"one file for set/b/000001, found b/x_1.npy, b/y_1.npy"):
        twice.find("set/b/000001")
    with pytest.raises(ValueError, match="found none"):
        index()
