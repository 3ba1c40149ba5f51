import numpy as np
import pytest
import torch

from ppvd.data.collate import collate, with_floats
from ppvd.data.decode import RawSample, decode, decode_for_training
from ppvd.data.encode import Sample, encode
from ppvd.data.errors import BadSampleError
from ppvd.data.schema import unseal


def raw(frame, **options):
    sample = Sample(key="a", frames=(frame,), **options)
    members = encode(sample, dataset="toys", split="train", licence="CC0")
    return RawSample(key="a", shard="a.tar", info=unseal(members), members=members)


LOG, LINEAR, FLOAT = {}, {"depth_step_m": 0.01}, {"lossless": True}


@pytest.mark.parametrize(
    "kinds", [(LOG,), (LINEAR,), (LOG, LINEAR), (LOG, FLOAT, LINEAR), (FLOAT,)]
)
def test_metres_made_on_the_device_are_those_of_decoding(frame, kinds):
    raws = [raw(frame(number), **kind) for number, kind in enumerate(kinds)]
    batch = collate([decode_for_training(each) for each in raws], sources=["a"] * len(raws))
    assert ("codes" in batch) == (FLOAT not in kinds)
    made = with_floats(batch)
    for place, each in enumerate(raws):
        known = decode(each)
        np.testing.assert_allclose(made["depth"][place, 0], known.depth, rtol=1e-6)
        np.testing.assert_array_equal(made["valid"][place, 0], known.valid)
        np.testing.assert_array_equal(made["sky"][place, 0], known.sky)
        np.testing.assert_array_equal(made["intrinsics"][place], known.intrinsics)
        np.testing.assert_allclose(made["pose"][place], known.pose, rtol=1e-6)
    assert made["depth"].dtype == torch.float32
    names = {"image", "depth", "valid", "sky", "intrinsics", "pose", "key", "source"}
    assert made.keys() == names


def test_five_bytes_a_pixel_cross_to_the_device(frame):
    batch = collate([decode_for_training(raw(frame()))], sources=["a"])
    large = [value for value in batch.values() if torch.is_tensor(value) and value.numel() > 16]
    assert sum(value.nbytes for value in large) == 5 * 24 * 36


def test_a_broken_map_is_named(frame):
    broken = raw(frame())
    broken.members["depth.u16.zst"] = b"broken"
    with pytest.raises(BadSampleError, match=r"a\.tar, sample a: depth must"):
        decode_for_training(broken)
