import zlib

import cv2
import numpy as np
import pytest
import zstandard

from ppvd.data.codes import DeltaZstd, Png
from ppvd.data.errors import SampleError

SIZE = (40, 30)
NUM_BYTES = 2 * SIZE[0] * SIZE[1]


def maps() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(SIZE[0]), 7 * np.arange(SIZE[1]))
    return {
        "chance": rng.integers(65536, size=SIZE),
        "ramp": ramp + 30000,
        "wraps": np.where(ramp % 2, 65535, 0),
        "nothing": np.zeros(SIZE),
        "one column": rng.integers(65536, size=(9, 1)),
        "one row": rng.integers(65536, size=(1, 9)),
    }


@pytest.mark.parametrize("form", [Png(), DeltaZstd()])
@pytest.mark.parametrize("name", maps())
def test_every_code_comes_back(form, name):
    codes = maps()[name].astype(np.uint16)
    kept = codes.copy()
    for given in (codes, np.asfortranarray(codes)):
        read = form.unpack(form.pack(given), size=codes.shape)
        np.testing.assert_array_equal(read, codes)
        assert read.dtype == np.uint16
    np.testing.assert_array_equal(codes, kept)


def test_the_bytes_are_differences_low_bytes_first():
    codes = maps()["chance"].astype(np.uint16)
    raw = zstandard.ZstdDecompressor().decompress(DeltaZstd().pack(codes))
    low, high = raw[: NUM_BYTES // 2], raw[NUM_BYTES // 2 :]
    deltas = [a + 256 * b for a, b in zip(low, high, strict=True)]
    rows = np.array(deltas).reshape(SIZE).cumsum(axis=1) % 65536
    np.testing.assert_array_equal(rows, codes)


def test_smooth_depth_takes_fewer_bytes_than_as_a_png():
    rows, columns = np.mgrid[:240, :320]
    codes = (20000 + 3000 * np.sin(rows / 40) + 30 * columns).astype(np.uint16)
    assert len(DeltaZstd().pack(codes)) < 0.9 * len(Png().pack(codes))


def packed() -> bytes:
    return DeltaZstd().pack(maps()["chance"].astype(np.uint16))


def streamed() -> bytes:
    writer = zstandard.ZstdCompressor().compressobj()
    return writer.compress(bytes(NUM_BYTES)) + writer.flush()


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "Zstandard"),
        (b"no frame of that kind", "Zstandard"),
        (zlib.compress(bytes(NUM_BYTES)), "Zstandard"),
        (packed()[:9], "Zstandard"),
        (packed()[:-1], "Zstandard"),
        (packed() + b"\0", "Zstandard"),
        (packed() + packed(), "Zstandard"),
        (packed()[:20] + b"\xff" * 9 + packed()[29:], "Zstandard"),
        (zstandard.ZstdCompressor().compress(bytes(NUM_BYTES - 2)), "2400 bytes, got .* 2398"),
        (zstandard.ZstdCompressor().compress(bytes(2 * NUM_BYTES)), "2400 bytes, got .* 4800"),
        (streamed(), "2400 bytes"),
    ],
)
def test_what_is_not_exactly_one_frame_of_that_size_is_refused(payload, message):
    with pytest.raises(SampleError, match=message):
        DeltaZstd().unpack(payload, size=SIZE)


@pytest.mark.parametrize("name", ["chance", "ramp"])
def test_no_flipped_bit_ever_changes_a_code(name):
    codes = maps()[name].astype(np.uint16)
    whole = DeltaZstd().pack(codes)
    noticed = [_is_noticed(whole, place, codes) for place in range(len(whole))]
    # A few bits of a header mean nothing.
    assert np.mean(noticed) > 0.9


def _is_noticed(whole: bytes, place: int, codes: np.ndarray) -> bool:
    damaged = bytearray(whole)
    damaged[place] ^= 1 << place % 8
    try:
        read = DeltaZstd().unpack(bytes(damaged), size=SIZE)
    except SampleError:
        return True
    np.testing.assert_array_equal(read, codes)
    return False


def png(codes: np.ndarray) -> bytes:
    return cv2.imencode(".png", codes)[1].tobytes()


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "unreadable"),
        (b"no picture", "unreadable"),
        (png(np.ones(SIZE, np.uint8)), "uint8"),
        (png(np.ones((3, 4), np.uint16)), r"\(3, 4\)"),
    ],
)
def test_what_is_no_map_of_16_bits_is_refused(payload, message):
    with pytest.raises(SampleError, match=message):
        Png().unpack(payload, size=SIZE)
