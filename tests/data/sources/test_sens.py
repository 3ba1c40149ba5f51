import cv2
import numpy as np
import pytest

from ppvd.data.errors import SampleError
from ppvd.data.sources.sens import frame_places, read_frame, read_header

DEPTH_SIZE = (3, 4)


@pytest.fixture
def scan(tmp_path, sens):
    shifted = np.eye(4)
    shifted[:3, 3] = [1, 2, 3]
    poses = [np.eye(4), shifted, np.full((4, 4), -np.inf)]
    return sens(tmp_path / "scene0000_00.sens", poses=poses)


def test_the_header_is_read(scan):
    header = read_header(scan)
    assert header.colour_intrinsics[:2].tolist() == [[1170, 0, 647], [0, 1171, 483]]
    assert header.depth_intrinsics[:2].tolist() == [[578, 0, 319], [0, 579, 239]]
    assert (header.colour_size, header.depth_size) == ((6, 8), (3, 4))
    assert (header.steps_per_metre, header.num_frames) == (1000.0, 3)


def test_any_frame_is_read_alone(scan):
    places = list(frame_places(scan))
    for number in (2, 0, 1):
        frame = read_frame(scan, place=places[number], depth_size=DEPTH_SIZE)
        expected = np.arange(12).reshape(DEPTH_SIZE) + 1000 * number
        np.testing.assert_array_equal(frame.steps, expected)
        picture = cv2.imdecode(np.frombuffer(frame.colour, np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_allclose(picture, 10 * number, atol=2)
    assert read_frame(scan, place=places[1], depth_size=DEPTH_SIZE).pose[:3, 3].tolist() == [
        1,
        2,
        3,
    ]
    assert np.isinf(read_frame(scan, place=places[2], depth_size=DEPTH_SIZE).pose).all()


def test_places_of_a_scan_that_broke_off_are_those_of_its_whole_frames(scan):
    whole = list(frame_places(scan))
    scan.write_bytes(scan.read_bytes()[:-1])
    assert list(frame_places(scan)) == whole[:2]
    scan.write_bytes(scan.read_bytes()[: whole[1] + 10])
    assert list(frame_places(scan)) == whole[:1]


@pytest.mark.parametrize("length", [2, 10, 20, 100, 300])
def test_a_header_that_is_cut_is_said_to_be(scan, length):
    scan.write_bytes(scan.read_bytes()[:length])
    with pytest.raises(SampleError, match=r"scene0000_00\.sens must be whole, .* ends after"):
        read_header(scan)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 3}, "must be a .sens of version 4, got 3"),
        ({"compressions": (1, 1)}, "must hold JPEG .* got 1 and 1"),
        ({"compressions": (2, 2)}, "must hold JPEG .* got 2 and 2"),
    ],
)
def test_other_kinds_are_refused(tmp_path, sens, change, message):
    with pytest.raises(SampleError, match=message):
        read_header(sens(tmp_path / "x.sens", poses=[np.eye(4)], **change))


def test_damaged_depth_is_refused(tmp_path, sens):
    scan = sens(tmp_path / "x.sens", poses=[np.eye(4)], depth=np.arange(11))
    (place,) = frame_places(scan)
    with pytest.raises(SampleError, match=r"of size \(3, 4\), got 22 bytes"):
        read_frame(scan, place=place, depth_size=DEPTH_SIZE)
    payload = bytearray(scan.read_bytes())
    payload[-5] ^= 255
    scan.write_bytes(payload)
    with pytest.raises(SampleError, match="must be a zlib stream"):
        read_frame(scan, place=place, depth_size=DEPTH_SIZE)
