import struct

import numpy as np
import pytest
import torch

from ppvd.geometry import PointCloud, cloud_from_depth, intrinsics_from_fov, write_ply

FORMATS = {"float": "f", "uchar": "B"}


def read_ply(path):
    """Parse a binary PLY from its own header alone."""
    content = path.read_bytes()
    head, body = content.split(b"end_header\n", 1)
    lines = head.decode("ascii").splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    (count,) = (int(line.split()[2]) for line in lines if line.startswith("element vertex"))
    properties = [line.split()[1:] for line in lines if line.startswith("property")]
    row = struct.Struct("<" + "".join(FORMATS[kind] for kind, _ in properties))
    assert len(body) == row.size * count
    return [name for _, name in properties], [
        row.unpack_from(body, row.size * i) for i in range(count)
    ]


def test_file_holds_every_point_and_colour(tmp_path):
    random = np.random.default_rng(0)
    points = random.normal(size=(57, 3)).astype(np.float32)
    colours = random.integers(0, 256, (57, 3)).astype(np.uint8)
    write_ply(tmp_path / "cloud.ply", PointCloud(points, colours))
    names, rows = read_ply(tmp_path / "cloud.ply")
    assert names == ["x", "y", "z", "red", "green", "blue"]
    np.testing.assert_array_equal(np.array([row[:3] for row in rows], np.float32), points)
    np.testing.assert_array_equal([row[3:] for row in rows], colours)


def test_an_empty_cloud_is_a_readable_file(tmp_path):
    write_ply(
        tmp_path / "a.ply", PointCloud(np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8))
    )
    assert read_ply(tmp_path / "a.ply")[1] == []


def test_writing_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    cloud = PointCloud(np.zeros((1, 3), np.float32), np.zeros((1, 3), np.uint8))
    path = tmp_path / "cloud.ply"
    path.write_text("old")
    write_ply(path, cloud)
    assert len(read_ply(path)[1]) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["cloud.ply"]


def test_a_failed_write_leaves_nothing(tmp_path):
    cloud = PointCloud(np.zeros((1, 3), np.float32), np.zeros((1, 3), np.uint8))
    (tmp_path / "folder.ply").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_ply(tmp_path / "folder.ply", cloud)
    assert [file.name for file in tmp_path.iterdir()] == ["folder.ply"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    def fail(path, _):
        path.write_text("half")
        raise OSError("no space left on device")

    path = tmp_path / "cloud.ply"
    path.write_text("old")
    monkeypatch.setattr("pathlib.Path.replace", fail)
    cloud = PointCloud(np.zeros((9, 3), np.float32), np.zeros((9, 3), np.uint8))
    with pytest.raises(OSError, match="no space left"):
        write_ply(path, cloud)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["cloud.ply"]


def test_points_carry_the_colour_of_their_pixel():
    depth = torch.tensor([[[1.0, 2.0, 0.0], [torch.inf, 3.0, 4.0]]])
    image = torch.linspace(0.0, 1.0, 18).reshape(3, 2, 3)
    valid = torch.tensor([[[True, True, True], [True, True, False]]])
    k = intrinsics_from_fov(2, 3, horizontal_fov_deg=60.0)
    cloud = cloud_from_depth(depth, image, k, valid)
    assert cloud.points[:, 2].tolist() == [1.0, 2.0, 3.0]  # no hole, no infinity, no masked pixel
    assert len(cloud) == 3
    expected = (image[:, [0, 0, 1], [0, 1, 1]].T * 255.0).round()
    np.testing.assert_array_equal(cloud.colours, expected.numpy())
    assert cloud.points[2, 0] == 0.0  # the middle column looks along the axis
    assert cloud.points.dtype == np.float32
    assert cloud.colours.dtype == np.uint8
    assert len(cloud_from_depth(depth, image, k)) == 4


def test_bad_sizes_are_named():
    k = torch.eye(3)
    with pytest.raises(ValueError, match=r"image \(3, H, W\)"):
        cloud_from_depth(torch.ones(1, 4, 4), torch.ones(3, 4, 5), k)
    with pytest.raises(ValueError, match="valid must have depth's shape"):
        cloud_from_depth(torch.ones(1, 4, 4), torch.ones(3, 4, 4), k, torch.ones(4, 4).bool())
