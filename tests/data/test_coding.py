import json
import zlib

import cv2
import numpy as np
import pytest

from ppvd.data.coding import DELTA_ZSTD, PNG, FloatZlib, LinearU16, LogU16, coding_from_json
from ppvd.data.errors import SampleError

SIZE = (40, 30)


def depth_map(near: float, far: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    depth = np.exp(rng.uniform(np.log(near), np.log(far), SIZE)).astype(np.float32)
    depth[0] = 0
    sky = np.zeros(SIZE, bool)
    sky[0, :10] = True
    return depth, sky


@pytest.mark.parametrize(("near", "far", "error"), [(0.41, 2.0, 1.3e-5), (0.4, 80.0, 4.1e-5)])
def test_log_coding_errs_by_at_most_half_a_step(near, far, error):
    depth, sky = depth_map(near, far)
    coding = LogU16.fit(depth)
    decoded, decoded_sky = coding.unpack(coding.pack(depth, sky), size=SIZE)
    measured = depth > 0
    relative = np.abs(decoded - depth)[measured] / depth[measured]
    assert relative.max() <= error
    assert relative.max() >= error / 10  # the bound says something
    np.testing.assert_array_equal(decoded[~measured], 0)
    np.testing.assert_array_equal(decoded_sky, sky)


def test_log_coding_meets_the_schema_formula():
    depth, sky = depth_map(0.5, 30.0)
    coding = LogU16.fit(depth)
    codes = cv2.imdecode(np.frombuffer(coding.pack(depth, sky), np.uint8), cv2.IMREAD_UNCHANGED)
    assert codes.dtype == np.uint16
    assert set(codes[0, :10]) == {65535}
    assert set(codes[0, 10:]) == {0}
    z = coding.near * (coding.far / coding.near) ** ((codes[1:].astype(float) - 1) / 65533)
    np.testing.assert_allclose(z, depth[1:], rtol=5e-5)
    assert (codes[1:].min(), codes[1:].max()) == (1, 65534)


def test_a_plane_of_constant_depth_and_an_empty_map_are_coded():
    for depth in (np.full(SIZE, 3.7, np.float32), np.zeros(SIZE, np.float32)):
        coding = LogU16.fit(depth)
        assert coding.near < coding.far
        decoded, sky = coding.unpack(coding.pack(depth, np.zeros(SIZE, bool)), size=SIZE)
        np.testing.assert_allclose(decoded, depth, rtol=1e-7)
        assert not sky.any()


def test_float_coding_loses_no_bit():
    depth, sky = depth_map(0.001, 9000.0)
    coding = FloatZlib()
    decoded, decoded_sky = coding.unpack(coding.pack(depth, sky), size=SIZE)
    np.testing.assert_array_equal(decoded, depth)
    np.testing.assert_array_equal(decoded_sky, sky)
    assert decoded.dtype == np.float32


def test_linear_coding_reads_centimetres_and_refuses_to_wrap():
    depth, sky = depth_map(0.5, 600.0)
    coding = LinearU16(scale=0.01)
    decoded, decoded_sky = coding.unpack(coding.pack(depth, sky), size=SIZE)
    np.testing.assert_allclose(decoded, depth, atol=0.00501)
    np.testing.assert_array_equal(decoded_sky, sky)
    with pytest.raises(SampleError, match=r"below 655\.34 m here, got 656 m"):
        coding.pack(np.full(SIZE, 656, np.float32), sky)


CODINGS = [
    LogU16(near=0.1, far=9.0),
    LogU16(near=0.1, far=9.0, form=DELTA_ZSTD),
    LinearU16(scale=0.01),
    LinearU16(scale=0.01, form=DELTA_ZSTD),
    FloatZlib(),
]


@pytest.mark.parametrize("coding", CODINGS)
def test_descriptions_are_read_back(coding):
    assert coding_from_json(json.loads(json.dumps(coding.to_json()))) == coding


def test_what_old_sets_say_of_their_depth_is_still_understood():
    states = {"invalid": 0, "sky": 65535}
    log = {"enc": "log_u16", "near": 0.5, "far": 2.0, **states}
    assert coding_from_json(log) == LogU16(near=0.5, far=2.0)
    assert LogU16(near=0.5, far=2.0).to_json() == log
    assert LogU16(near=0.5, far=2.0).suffix == "depth.png"
    linear = {"enc": "linear_u16", "scale": 0.01, **states}
    assert coding_from_json(linear) == LinearU16(scale=0.01, form=PNG)
    assert LinearU16(scale=0.01).to_json() == linear


@pytest.mark.parametrize(
    "kind",
    [
        lambda form: LogU16(near=0.4, far=9.0, form=form),
        lambda form: LinearU16(scale=0.01, form=form),
    ],
)
def test_both_forms_of_codes_hold_the_same_depth(kind):
    depth, sky = depth_map(0.4, 9.0)
    states = [
        kind(form).unpack(kind(form).pack(depth, sky), size=SIZE) for form in (PNG, DELTA_ZSTD)
    ]
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "description",
    [
        None,
        {"enc": "exr"},
        {"enc": "log_u16", "near": 1.0},
        {"enc": "log_u16", "near": 1.0, "far": 2.0},
        {"enc": "log_u16", "near": 2.0, "far": 1.0, "invalid": 0, "sky": 65535},
        {"enc": "log_u16", "near": 1.0, "far": 2.0, "invalid": 65535, "sky": 0},
        {"enc": "linear_u16", "scale": 0.0, "invalid": 0, "sky": 65535},
        {"enc": "linear_u16", "scale": 0.1, "invalid": 0, "sky": 65535, "form": "lz4"},
        {"enc": "log_u16", "near": 1.0, "far": 2.0, "form": "delta_zstd"},
    ],
)
def test_wrong_descriptions_are_refused(description):
    with pytest.raises(SampleError, match="depth"):
        coding_from_json(description)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"no stream", "zlib"),
        (zlib.compress(b"1234"), "4800 bytes, got 4"),
        (zlib.compress(np.full(SIZE, -1, "<f4").tobytes()), "negative"),
        (zlib.compress(np.full(SIZE, np.nan, "<f4").tobytes()), "NaN"),
    ],
)
def test_what_is_no_float_map_is_refused(payload, message):
    with pytest.raises(SampleError, match=message):
        FloatZlib().unpack(payload, size=SIZE)
