import cv2
import numpy as np
import pytest

from ppvd.data.wholeness import fault_of


@pytest.fixture
def write(tmp_path):
    def write(name, payload):
        path = tmp_path / name
        path.write_bytes(payload)
        return path

    return write


def encoded(suffix):
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    return cv2.imencode(suffix, noise)[1].tobytes()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_pictures_that_break_off_are_told_from_whole_ones(write, suffix):
    payload = encoded(suffix)
    assert fault_of(write(f"a{suffix}", payload)) == ""
    assert fault_of(write(f"a{suffix}", payload + b"0" * 100)) == ""
    for length in (len(payload) - 2, len(payload) // 2, 100):
        assert "that breaks off" in fault_of(write(f"a{suffix}", payload[:length]))


def test_arrays_are_as_long_as_they_say(tmp_path, write):
    np.save(tmp_path / "a.npy", np.ones((8, 9), np.float32))
    payload = (tmp_path / "a.npy").read_bytes()
    assert fault_of(tmp_path / "a.npy") == ""
    for length in (len(payload) - 1, 100, 4):
        assert fault_of(write("b.npy", payload[:length])) == "it is no whole .npy file"


def test_what_stands_in_a_files_place_is_named(write, tmp_path):
    assert fault_of(tmp_path / "none") == "it is missing"
    assert fault_of(write("x.png", b"")) == "it is empty"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    assert "Git LFS pointer" in fault_of(write("x.exr", pointer))
    assert "web page" in fault_of(write("x.zip", b"\n<!DOCTYPE html><html><body>Log in"))
    assert fault_of(write("x.JPG", np.full(99, 3, "<f4").tobytes())) == ""
    assert "cannot be read" in fault_of(tmp_path)
