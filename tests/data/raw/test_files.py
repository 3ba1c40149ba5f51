import cv2
import numpy as np
import pytest

from ppvd.data.errors import SampleError, ShardError
from ppvd.data.raw import (
    as_map,
    read_array,
    read_bytes,
    read_depth_png,
    read_exr,
    read_hdf5,
    read_picture,
    read_table,
)

SIZE = (9, 13)
RGB = (np.arange(9 * 13 * 3).reshape(*SIZE, 3) % 251).astype(np.uint8)


def encode(path, array, *options):
    done, payload = cv2.imencode(path.suffix, array, list(options))
    assert done
    path.write_bytes(payload.tobytes())
    return path


@pytest.mark.parametrize("read", [read_bytes, read_picture, read_depth_png, read_array, read_exr])
def test_files_that_are_none_are_named(tmp_path, read):
    path = tmp_path / "f.png"
    with pytest.raises(SampleError, match=rf"{tmp_path.name}/f\.png is missing"):
        read(path)
    path.write_bytes(b"")
    with pytest.raises(SampleError, match=r"f\.png is empty"):
        read(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(SampleError, match=r"f\.png is a Git LFS pointer, not the file: fetch it"):
        read(path)


def test_pictures_are_eight_bit_colour_whatever_they_were(tmp_path):
    bgr = np.ascontiguousarray(RGB[..., ::-1])
    colour = read_picture(encode(tmp_path / "c.png", bgr))
    np.testing.assert_array_equal(colour.image, RGB)
    assert colour.jpeg is None
    opaque = np.concatenate([bgr, np.full((*SIZE, 1), 7, np.uint8)], -1)
    np.testing.assert_array_equal(read_picture(encode(tmp_path / "a.png", opaque)).image, RGB)
    grey = read_picture(encode(tmp_path / "g.png", RGB[..., 0])).image
    np.testing.assert_array_equal(grey, np.repeat(RGB[..., :1], 3, -1))
    jpeg = encode(tmp_path / "j.JPG", bgr)
    assert read_picture(jpeg).jpeg == jpeg.read_bytes()


def test_a_turn_that_exif_asks_for_is_not_made(tmp_path):
    """Depth lies as the pixels lie."""
    path = encode(tmp_path / "e.jpg", np.ascontiguousarray(RGB[..., ::-1]))
    plain = path.read_bytes()
    turned = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    segment = b"\xff\xe1" + (len(turned) + 2).to_bytes(2, "big") + turned
    path.write_bytes(plain[:2] + segment + plain[2:])
    assert cv2.imread(str(path)).shape[:2] == SIZE[::-1]
    assert read_picture(path).image.shape[:2] == SIZE


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_damaged_pictures_are_named(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    path = encode(tmp_path / f"p.{suffix}", noise)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(SampleError, match=rf"p\.{suffix}"):
        read_picture(path)


def test_sixteen_bits_of_colour_are_refused(tmp_path):
    path = encode(tmp_path / "p.png", RGB.astype(np.uint16))
    with pytest.raises(SampleError, match=r"p\.png must have 8 bits a channel, got 16"):
        read_picture(path)


def test_depth_is_a_grey_picture_of_sixteen_bits_alone(tmp_path):
    codes = (np.arange(117).reshape(SIZE) * 561).astype(np.uint16)
    np.testing.assert_array_equal(read_depth_png(encode(tmp_path / "d.png", codes)), codes)
    for wrong, got in ((RGB[..., 0], "uint8"), (RGB.astype(np.uint16), r"uint16 of shape")):
        with pytest.raises(SampleError, match=rf"d\.png must be .* 16 bits, got {got}"):
            read_depth_png(encode(tmp_path / "d.png", wrong))


@pytest.mark.parametrize(("dtype", "ending"), [(np.float16, ()), (">f8", (1,)), (np.int32, ())])
def test_maps_are_native_float32(dtype, ending):
    read = as_map(np.ones((*SIZE, *ending), dtype), name="x")
    assert (read.dtype, read.shape) == (np.float32, SIZE)
    assert read.dtype.isnative


@pytest.mark.parametrize(
    ("shape", "dtype"), [((9, 13, 3), float), ((5,), float), (SIZE, complex), (SIZE, bool)]
)
def test_what_is_no_map_is_refused(shape, dtype):
    with pytest.raises(SampleError, match="x must hold one number a pixel"):
        as_map(np.ones(shape, dtype), name="x")


def test_a_number_too_large_for_float32_is_infinite():
    assert np.isinf(as_map(np.full(SIZE, 1e300), name="x")).all()


def test_arrays_hold_numbers_alone(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, RGB)
    np.testing.assert_array_equal(read_array(path), RGB)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SampleError, match=r"a\.npy must be a whole \.npy file"):
        read_array(path)
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(SampleError, match=r"a\.npy must be a whole \.npy file"):
        read_array(path)


def test_the_first_channel_by_preference_is_read(tmp_path):
    library = pytest.importorskip("OpenEXR")
    path = tmp_path / "d.exr"
    maps = {"G": np.full(SIZE, 2, np.float32), "R": np.full(SIZE, 1.5, np.float16)}
    library.File({"type": library.scanlineimage}, maps).write(str(path))
    for order, value in (("RG", 1.5), ("YGR", 2.0)):
        read, name = read_exr(path, *order)
        assert (read.dtype, name) == (np.float32, order.strip("Y")[0])
        np.testing.assert_array_equal(read, np.float32(value))
    with pytest.raises(
        SampleError, match=r"d\.exr must have a channel of \('Z',\), got \['G', 'R'"
    ):
        read_exr(path, "Z")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(SampleError, match=r"d\.exr must be a whole EXR file"):
        read_exr(path, "G")


def test_arrays_of_hdf5_go_by_name(tmp_path):
    library = pytest.importorskip("h5py")
    path = tmp_path / "h.hdf5"
    with library.File(path, "w") as file:
        file["dataset"] = RGB
    np.testing.assert_array_equal(read_hdf5(path), RGB)
    with pytest.raises(SampleError, match=r"h\.hdf5 must be a whole HDF5 file: .*depth"):
        read_hdf5(path, "depth")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SampleError, match=r"h\.hdf5 must be a whole HDF5 file"):
        read_hdf5(path)


def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch):
    (tmp_path / "h.hdf5").write_bytes(b"x")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ShardError, match=r"needs h5py: pip install 'ppvd\[raw\]'"):
        read_hdf5(tmp_path / "h.hdf5")


def test_tables_are_words_without_comments(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("# a comment\n1 2.5  x\r\n\n3\n")
    assert read_table(path) == [["1", "2.5", "x"], ["3"]]
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SampleError, match=r"t\.txt must be a text file"):
        read_table(path)
