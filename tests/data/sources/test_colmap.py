import numpy as np
import pytest

from ppvd.data.errors import SampleError
from ppvd.data.sources.colmap import read_views

LENS = "0 THIN_PRISM_FISHEYE 6048 4032 3411.42 3410.02 3041.29 2014.07 0.2 0.1 0 0 0 0 0 0"
SIMPLE = "7 SIMPLE_RADIAL 640 480 500 320.5 240.5 0.1"
# A quarter turn about y: the camera's z axis is the world's x axis reversed in world-to-camera.
HALF = np.sqrt(0.5)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cameras.txt").write_text(
        f"# Camera list\n#   CAMERA_ID, MODEL\n{LENS}\n{SIMPLE}\n"
    )
    (tmp_path / "images.txt").write_text(
        "# Image list with two lines of data per image:\n"
        f"1 {HALF} 0 {HALF} 0 1.0 2.0 3.0 0 dslr_images/DSC_0219.JPG\n"
        "10.5 20.5 -1 30 40 5\n"
        "2 1 0 0 0 0 0 -4 7 dslr_images/a name.JPG\n"
        "\n"
    )
    return tmp_path


def test_first_pixels_centre_moves_to_the_origin(folder):
    views = read_views(folder)
    assert views["dslr_images/DSC_0219.JPG"].intrinsics.tolist() == [
        [3411.42, 0, 3040.79],
        [0, 3410.02, 2013.57],
        [0, 0, 1],
    ]
    assert views["dslr_images/DSC_0219.JPG"].lens == LENS
    assert views["dslr_images/a name.JPG"].intrinsics.diagonal().tolist() == [500, 500, 1]
    assert views["dslr_images/a name.JPG"].intrinsics[:2, 2].tolist() == [320, 240]


def test_poses_take_the_camera_to_the_world(folder):
    views = read_views(folder)
    assert views["dslr_images/a name.JPG"].pose[:3, 3].tolist() == [0, 0, 4]
    turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # World to camera, by hand.
    pose = views["dslr_images/DSC_0219.JPG"].pose
    np.testing.assert_allclose(pose[:3, :3], turn.T, atol=1e-12)
    np.testing.assert_allclose(turn @ pose[:3, 3] + [1, 2, 3], 0, atol=1e-12)


@pytest.mark.parametrize("line", ["1 1 0 0 0 0 0 0 9 x.JPG", "1 1 0 0 0 0 0 zero 0 x.JPG", "1 1 0"])
def test_a_line_that_makes_no_sense_is_quoted(folder, line):
    (folder / "images.txt").write_text(f"{line}\n\n")
    with pytest.raises(SampleError, match=f"must name known cameras: {line}"):
        read_views(folder)
