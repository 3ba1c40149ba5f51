import cv2
import numpy as np
import pytest

from ppvd.whole import appearing_whole, write_png, write_whole


def test_replaces_and_makes_folders(tmp_path):
    path = tmp_path / "a" / "b.txt"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o444 == 0o444


def test_failure_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "b.txt"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_png_keeps_colours_and_sixteen_bits(tmp_path):
    red = np.zeros((2, 3, 3), np.uint8)
    red[..., 0] = 200
    write_png(tmp_path / "red.png", red)
    assert (cv2.imread(str(tmp_path / "red.png"))[..., ::-1] == red).all()
    deep = np.array([[0, 1, 65535]], np.uint16)
    write_png(tmp_path / "deep.png", deep)
    assert (cv2.imread(str(tmp_path / "deep.png"), cv2.IMREAD_UNCHANGED) == deep).all()


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_written_elsewhere_in_steps_appears_at_the_end(tmp_path):
    path = tmp_path / "new" / "b.bin"
    with appearing_whole(path) as passing:
        passing.write_bytes(b"half")
        assert not path.exists()
        passing.write_bytes(b"whole")
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_on_the_way_leaves_nothing(tmp_path):
    def fail():
        with appearing_whole(tmp_path / "b.bin") as passing:
            passing.write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []
