import cv2
import numpy as np
import pytest

from ppvd.data.decode import RawSample, decode
from ppvd.data.encode import Sample, decode_image, encode, encode_image
from ppvd.data.errors import BadSampleError, SampleError
from ppvd.data.schema import unseal


def raw(sample: Sample) -> RawSample:
    members = encode(sample, dataset="toys", split="train", licence="CC0")
    info = unseal(members)
    return RawSample(key=sample.key, shard="a.tar", info=info, members=members)


def test_a_frame_survives_the_shard(frame):
    written = frame(3)
    read = decode(raw(Sample(key="toy/3", frames=(written,))))
    np.testing.assert_allclose(read.depth, written.depth, rtol=2e-5)
    np.testing.assert_array_equal(read.valid, written.valid)
    np.testing.assert_array_equal(read.sky, written.sky)
    np.testing.assert_array_equal(read.intrinsics, written.intrinsics)
    np.testing.assert_array_equal(read.pose, written.pose)
    assert np.abs(read.image.astype(int) - written.image).mean() < 2
    for name in ("scene", "index", "source", "metadata"):
        assert getattr(read, name) == getattr(written, name)
    assert read.key == "toy/3"


def test_a_lossless_sample_survives_bit_by_bit(frame):
    written = frame(3)
    read = decode(raw(Sample(key="toy/3", frames=(written,), lossless=True)))
    np.testing.assert_array_equal(read.image, written.image)
    np.testing.assert_array_equal(read.depth, written.depth)


def test_one_frame_of_a_clip_is_decoded_without_the_others(frame):
    sample = raw(Sample(key="toy/3", frames=(frame(3), frame(4), frame(5))))
    for name in ("000.jpg", "001.depth.u16.zst"):
        sample.members[name] = b"broken"
    read = decode(sample, frame=2)
    assert (read.key, read.index) == ("toy/3-002", 5)
    np.testing.assert_allclose(read.depth, frame(5).depth, rtol=2e-5)


@pytest.mark.parametrize("options", [{}, {"depth_step_m": 0.01}])
def test_what_is_trained_on_is_packed_tighter_and_what_is_judged_stays_a_png(frame, options):
    sample = Sample(key="toy/3", frames=(frame(3),), **options)
    read = {}
    for split, name in (("train", "depth.u16.zst"), ("val", "depth.png"), ("test", "depth.png")):
        members = encode(sample, dataset="toys", split=split, licence="CC0")
        assert members.keys() == {"jpg", name, "json"}
        info = unseal(members)
        read[split] = decode(RawSample(key="toy/3", shard="a.tar", info=info, members=members))
        assert read[split].valid.any()
    np.testing.assert_array_equal(read["train"].depth, read["val"].depth)
    np.testing.assert_array_equal(read["train"].sky, read["val"].sky)


def test_colour_is_not_subsampled():
    image = np.zeros((16, 16, 3), np.uint8)
    image[:, ::2] = (255, 0, 0)
    image[:, 1::2] = (0, 0, 255)
    read = decode_image(encode_image(image, suffix="jpg"))
    assert np.abs(read.astype(int) - image).max() < 40


def test_the_sources_own_picture_is_stored_as_it_is(frame):
    image = frame().image
    own = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
    shown = frame(image=decode_image(own))
    sample = raw(Sample(key="a", frames=(shown,), lossless=True, pictures=(own,)))
    assert sample.members["jpg"] == own
    np.testing.assert_array_equal(decode(sample).image, shown.image)
    with pytest.raises(SampleError, match="show the frame"):
        raw(Sample(key="a", frames=(frame(),), pictures=(own,)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": np.full((24, 36), np.nan, np.float32)}, "finite"),
        ({"depth": np.full((24, 36), -1, np.float32)}, "above 0"),
        ({"depth": np.full((24, 36), 2, np.float32)}, "0 wherever"),
        ({"intrinsics": np.array([[9.0, 1, 2], [0, 9, 2], [0, 0, 1]])}, "skew"),
        ({"intrinsics": np.diag([-9.0, 9, 1])}, "pinhole"),
    ],
)
def test_unfit_frames_are_refused(frame, changes, message):
    with pytest.raises(SampleError, match=message):
        raw(Sample(key="a", frames=(frame(**changes),)))


def test_a_sample_needs_frames_of_one_size(frame):
    with pytest.raises(SampleError, match="one size"):
        raw(Sample(key="a", frames=()))
    with pytest.raises(SampleError, match="one size"):
        raw(Sample(key="a", frames=(frame(), frame(size=(8, 8)))))


@pytest.mark.parametrize(
    "payload", [b"", b"GIF89a....", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0cut"]
)
def test_what_is_no_whole_picture_is_refused(payload):
    with pytest.raises(SampleError, match="picture"):
        decode_image(payload)


def test_a_member_that_contradicts_the_json_names_shard_and_sample(frame):
    sample = raw(Sample(key="toy/3", frames=(frame(),)))
    sample.members["jpg"] = encode_image(np.zeros((5, 5, 3), np.uint8), suffix="jpg")
    with pytest.raises(BadSampleError, match=r"a\.tar, sample toy/3: .*\(24, 36\), got \(5, 5\)"):
        decode(sample)
