import cv2
import numpy as np
import pytest

from ppvd.data.photos import Photos, collate_photos, read_photo

RGB = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3) * 2


def save(path, rgb=RGB):
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "jpg", "webp"])
def test_pictures_of_every_kind_are_read_in_colour(tmp_path, suffix):
    image = read_photo(save(tmp_path / f"a.{suffix}"))
    assert image.shape == (5, 7, 3)
    assert image.dtype == np.uint8
    if suffix in ("png", "bmp", "tif"):
        np.testing.assert_array_equal(image, RGB)


def test_grey_becomes_colour_transparency_goes_and_16_bits_become_8(tmp_path):
    grey = RGB[..., 0]
    alpha = np.dstack([RGB[..., ::-1], np.full((5, 7), 9, np.uint8)])
    deep = RGB[..., ::-1].astype(np.uint16) * 257
    for name, stored in (("grey", grey), ("alpha", alpha), ("deep", deep)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), stored)
    np.testing.assert_array_equal(read_photo(tmp_path / "grey.png"), np.dstack([grey] * 3))
    np.testing.assert_array_equal(read_photo(tmp_path / "alpha.png"), RGB)
    np.testing.assert_allclose(read_photo(tmp_path / "deep.png"), RGB, atol=1)


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Put an EXIF segment with one entry, the orientation, behind the start of a JPEG."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + bytes([0, orientation, 0, 0])
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0\0\0\0"
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_photographs_are_turned_upright(tmp_path, orientation, turns):
    image = np.zeros((40, 64, 3), np.uint8)
    image[:20, :32] = 255
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    (tmp_path / "a.jpg").write_bytes(with_orientation(jpeg, orientation))
    upright = read_photo(tmp_path / "a.jpg")
    assert upright.shape == np.rot90(image, turns).shape
    np.testing.assert_allclose(upright, np.rot90(image, turns), atol=8)


def test_a_folder_gives_its_photographs_in_order(tmp_path):
    for name in ("b.png", "a.JPG", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "sub").mkdir()
    save(tmp_path / "b.png")
    save(tmp_path / "a.png").rename(tmp_path / "a.JPG")
    photos = Photos(tmp_path)
    assert photos.keys == ["a", "b"]
    photo = photos[1]
    assert photo["image"].shape == (3, 5, 7)
    np.testing.assert_allclose(photo["image"].permute(1, 2, 0), RGB / 255, atol=1e-7)
    assert (photo["image"].min(), photo["image"].max()) == (0, pytest.approx(208 / 255))


def test_files_and_folders_may_be_named_together(tmp_path):
    (tmp_path / "sub").mkdir()
    files = [save(tmp_path / "b.png"), save(tmp_path / "sub" / "a.png")]
    assert len(Photos([files[0], str(tmp_path / "sub")])) == 2
    assert Photos(str(files[0])).keys == ["b"]


def test_keys_are_unique(tmp_path):
    (tmp_path / "sub").mkdir()
    names = ("a.png", "a.bmp", "b.png", "sub/b.png")
    keys = Photos([save(tmp_path / name) for name in names]).keys
    assert len(set(keys)) == 4
    assert keys[:2] == ["a_png", "a_bmp"]


@pytest.mark.parametrize("payload", [b"", b"no picture", b"\x89PNG\r\n\x1a\n1234"])
def test_what_is_no_picture_is_named(tmp_path, payload):
    path = tmp_path / "a.png"
    path.write_bytes(payload)
    with pytest.raises(ValueError, match=f"photo {path} must be .* its {len(payload)} bytes"):
        Photos(path)[0]


def test_a_cut_off_photo_is_named(tmp_path):
    whole = save(tmp_path / "a.png", np.zeros((50, 50, 3), np.uint8)).read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"a\.png must be a whole"):
        read_photo(tmp_path / "a.png")


def test_paths_that_hold_no_photo_are_named(tmp_path):
    with pytest.raises(ValueError, match=f"{tmp_path}/nowhere must exist"):
        Photos(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=f"folder {tmp_path} must hold a photograph"):
        Photos(tmp_path)
    with pytest.raises(ValueError, match="at least one photograph"):
        Photos([])
    with pytest.raises(ValueError, match="readable file"):
        read_photo(tmp_path)


def test_photographs_never_share_a_batch(tmp_path):
    photos = Photos(save(tmp_path / "a.png"))
    assert collate_photos([photos[0]])["image"].shape == (1, 3, 5, 7)
    with pytest.raises(ValueError, match="one by one, got 2"):
        collate_photos([photos[0], photos[0]])
