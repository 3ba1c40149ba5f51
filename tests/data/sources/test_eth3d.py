import struct

import numpy as np
import pytest

from ppvd.data.sources.eth3d import CALIBRATION, Eth3d

SIZE = (40, 60)
LENS = "0 THIN_PRISM_FISHEYE 60 40 34.1 34.2 30.5 20.5 0.1 0.2 0 0 0 0 0 0"


def depth_name(scene, number, *, prefix):
    return f"{prefix}{scene}/ground_truth_depth/dslr_images/DSC_{number:04d}.JPG"


def write(tree, scene="office", number=219, *, depth=None, rgb="", truth=""):
    picture = f"{rgb}{scene}/images/dslr_images/DSC_{number:04d}.JPG"
    tree.picture(picture, SIZE)
    depth = np.full(SIZE, 3, "<f4") if depth is None else depth
    tree.bytes(depth_name(scene, number, prefix=truth), depth.astype("<f4").tobytes())
    return picture


def calibrate(tree, scene="office", prefix=""):
    folder = f"{prefix}{scene}/{CALIBRATION}"
    tree.text(f"{folder}/cameras.txt", "# Camera list", LENS)
    tree.text(
        f"{folder}/images.txt", "# Images", "1 1 0 0 0 0 0 -2 0 dslr_images/DSC_0219.JPG", "1 2 -1"
    )


@pytest.mark.parametrize(
    ("rgb", "truth"),
    [("", ""), ("rgb/", "depth/office_dslr_depth/"), ("multi_view_training_dslr_jpg/", "x/")],
)
def test_a_plane_at_3_m_is_at_3_m_however_the_archives_were_unpacked(
    tree, frames, holds, rgb, truth
):
    write(tree, rgb=rgb, truth=truth)
    calibrate(tree, prefix=rgb)
    source = Eth3d(raw=tree.root)
    found, left_out = frames(source)
    assert not left_out
    frame = found["office/000219"]
    np.testing.assert_array_equal(frame.depth, np.full(SIZE, 3, np.float32))
    assert frame.intrinsics.tolist() == [[34.1, 0, 30], [0, 34.2, 20], [0, 0, 1]]
    assert frame.pose[:3, 3].tolist() == [0, 0, 2]
    assert frame.metadata["lens"] == LENS
    assert holds(source).num_samples == 1


def test_one_scene_may_be_the_root(tree):
    write(tree)
    assert Eth3d(raw=tree.root / "office").entries[0].key == "eth3d/office/000219"


def test_no_laser_return_is_unknown_and_never_sky(tree, frames, states):
    depth = np.full(SIZE, 3, np.float32)
    depth[0, :5] = [np.inf, np.nan, 0, 0.005, -1]
    write(tree, depth=depth)
    (frame,) = frames(Eth3d(raw=tree.root))[0].values()
    assert states(frame)[0, :6].tolist() == [0, 0, 0, 1, 0, 1]


def test_without_calibration_the_focal_length_is_nominal_and_said_to_be(tree, frames):
    write(tree)
    (frame,) = frames(Eth3d(raw=tree.root))[0].values()
    assert frame.intrinsics[0, 0] == pytest.approx(60 * 3411 / 6048)
    assert frame.pose is None
    assert "nominal" in frame.metadata["lens"]


def test_depth_of_another_length_or_kind_is_refused_and_pairs_are_never_mixed(tree, frames):
    for number in (1, 2, 3, 5, 8):
        write(tree, number=number)
    tree.truncate(depth_name("office", 1, prefix=""))
    tree.picture(depth_name("office", 2, prefix=""), SIZE)
    tree.remove(depth_name("office", 3, prefix=""))
    tree.remove("office/images/dslr_images/DSC_0005.JPG")
    found, left_out = frames(Eth3d(raw=tree.root))
    assert list(found) == ["office/000008"]
    assert "must have 9600 bytes, one float32 for each of 60x40" in left_out["office/000001"]
    assert "it is a picture" in left_out["office/000002"]
    assert "depth file is missing" in left_out["office/000003"]
    assert "picture file is missing" in left_out["office/000005"]


def test_a_turn_that_exif_asks_for_is_not_made(tree, frames):
    """Depth lies as the sensor's rows do, so the picture has to as well."""
    name = write(tree)
    payload = (tree.root / name).read_bytes()
    # A big-endian TIFF header and its one entry: orientation (0x112), a short (3), 6: turn right.
    entry = struct.pack(">HHHIHHI", 1, 0x112, 3, 1, 6, 0, 0)
    exif = b"Exif\x00\x00MM\x00*" + struct.pack(">I", 8) + entry
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    tree.bytes(name, payload[:2] + segment + payload[2:])
    (frame,) = frames(Eth3d(raw=tree.root))[0].values()
    assert frame.image.shape == (*SIZE, 3)


def test_the_jpeg_is_stored_byte_for_byte(tree):
    name = write(tree)
    (picture,) = Eth3d(raw=tree.root).sample(0).pictures
    assert picture == (tree.root / name).read_bytes()
