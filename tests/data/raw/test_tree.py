from pathlib import Path

import pytest

from ppvd.data.errors import ShardError
from ppvd.data.raw import folders_holding, natural, numbered, revision, sole_folder


def fill(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_numbers_in_names_sort_as_numbers():
    names = ["f_10", "f_9", "f_1/x2", "f_1/x10", "g_0"]
    assert sorted(names, key=natural) == ["f_1/x2", "f_1/x10", "f_9", "f_10", "g_0"]


def test_folders_are_found_below_doubled_and_missing_levels(tmp_path):
    fill(tmp_path, "a/a/P1/d_1.exr", "b/d_2.EXR", "c/other.txt", "d_3.exr.part")
    assert [str(f) for f in folders_holding(tmp_path, r"d_\d+\.exr")] == ["a/a/P1", "b"]
    fill(tmp_path, "d_0.exr")
    assert [str(f) for f in folders_holding(tmp_path, r"d_\d+\.exr")] == ["."]


def test_hidden_folders_are_not_looked_at_and_links_are_followed(tmp_path):
    fill(tmp_path, "raw/.cache/x/d_1.exr", "raw/__MACOSX/d_1.exr", "elsewhere/d_1.exr")
    (tmp_path / "raw/link").symlink_to(tmp_path / "elsewhere")
    assert [str(f) for f in folders_holding(tmp_path / "raw", r"d_\d+\.exr")] == ["link"]


def test_a_root_that_is_none_is_named(tmp_path):
    with pytest.raises(ShardError, match=r"raw must be the folder .*nowhere is none"):
        folders_holding(tmp_path / "nowhere", "x")


def test_the_folder_of_a_set_is_the_one_that_holds_all_its_parts(tmp_path):
    fill(tmp_path, "set/rgb/1", "set/depth/1", "other/rgb/1")
    assert str(sole_folder(tmp_path, "rgb", "depth")) == "set"
    fill(tmp_path, "other/depth/1")
    with pytest.raises(ShardError, match="one folder with rgb and depth, got other, set"):
        sole_folder(tmp_path, "rgb", "depth")
    with pytest.raises(ShardError, match="got none"):
        sole_folder(tmp_path, "ss")


def test_files_go_by_their_numbers(tmp_path):
    fill(tmp_path, "x/l_10.png", "x/l_9.PNG", "x/r_1.png", "x/l_1.png.txt", "x/l_.png")
    found = numbered(tmp_path, Path("x"), r"l_(\d+)\.png")
    assert list(found.items()) == [(9, Path("x/l_9.PNG")), (10, Path("x/l_10.png"))]
    assert numbered(tmp_path, tmp_path / "none", r"(\d+)") == {}


def test_two_files_of_one_number_are_refused(tmp_path):
    fill(tmp_path, "l_1.png", "l_01.png")
    with pytest.raises(ShardError, match=r"one number each, got l_01\.png and l_1\.png"):
        numbered(tmp_path, tmp_path, r"l_(\d+)\.png")


def test_a_revision_follows_names_and_sizes(tmp_path):
    fill(tmp_path, "a", "bb")
    files = [Path("a"), Path("bb"), Path("gone")]
    first = revision(tmp_path, files)
    assert (first["files"], first["bytes"]) == (2, 3)
    assert revision(tmp_path, files[::-1] + files) == first
    (tmp_path / "a").write_bytes(b"aa")
    second = revision(tmp_path, files)
    assert second["sha256"] != first["sha256"]
    (tmp_path / "a").rename(tmp_path / "gone")
    assert revision(tmp_path, files)["sha256"] != second["sha256"]
