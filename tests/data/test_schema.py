import json

import pytest

from ppvd.data.encode import Sample, encode
from ppvd.data.errors import SampleError
from ppvd.data.frame import Frame
from ppvd.data.schema import check_key, unseal


def members(*frames: Frame, **options: object) -> dict[str, bytes]:
    sample = Sample(key="toy/0", frames=frames, **options)  # type: ignore[arg-type]
    return encode(sample, dataset="toys", split="train", licence="CC0")


def test_an_image_sample_has_plain_entries_and_a_clip_lists(frame):
    single, clip = members(frame(5)), members(frame(5), frame(6))
    assert set(single) == {"jpg", "depth.u16.zst", "json"}
    assert set(clip) == {"000.jpg", "000.depth.u16.zst", "001.jpg", "001.depth.u16.zst", "json"}
    body, bodies = json.loads(single["json"]), json.loads(clip["json"])
    assert body["K"] == [30.0, 31.0, 17.25, 11.5]
    assert body["size"] == [36, 24]
    assert body["depth"]["enc"] == "log_u16"
    assert (body["schema"], body["n_frames"], body["frame"]) == (1, 1, 5)
    assert (bodies["n_frames"], bodies["frame"], bodies["pose_ok"]) == (2, [5, 6], [True, True])
    assert bodies["depth"][0] == body["depth"]


def test_reading_gives_back_what_was_written(frame):
    info = unseal(members(frame(5), frame(6, pose=None)))
    assert (info.dataset, info.split, info.scene, info.size) == (
        "toys",
        "train",
        "scene-5",
        (24, 36),
    )
    assert [entry.index for entry in info.frames] == [5, 6]
    assert info.frames[1].pose is None
    assert info.frames[0].pose[:6] == (1, 0, 0, 0, 0, 1)
    assert info.frames[0].metadata == {"kind": "toy"}
    assert info.frames[1].source == ("file-6",)


@pytest.mark.parametrize("name", ["jpg", "depth.u16.zst", "json"])
def test_any_changed_byte_is_noticed(frame, name):
    written = members(frame())
    for place in range(0, len(written[name]), 7):
        damaged = bytearray(written[name])
        damaged[place] ^= 1
        with pytest.raises(SampleError):
            unseal(written | {name: bytes(damaged)})


@pytest.mark.parametrize("name", ["jpg", "depth.u16.zst", "json"])
def test_a_missing_partner_is_noticed(frame, name):
    written = members(frame())
    del written[name]
    with pytest.raises(SampleError, match=name):
        unseal(written)


def test_an_unknown_member_is_noticed(frame):
    with pytest.raises(SampleError, match=r"more \['mask.png'\]"):
        unseal(members(frame()) | {"mask.png": b""})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 1, got 2"),
        ({"K_convention": "half"}, "K_convention"),
        ({"metric": False}, "metric"),
        ({"image": "webp"}, "webp"),
        ({"K": [1, 2, 3]}, "K must hold 4"),
        ({"T_wc": [1.0]}, "T_wc must hold 16"),
        ({"n_frames": 2}, "2 entries"),
        ({"size": [0, 4]}, "size"),
        ({"size": None}, "fields"),
    ],
)
def test_a_json_of_another_form_is_refused(frame, change, message):
    written = members(frame())
    body = json.loads(written["json"]) | change
    with pytest.raises(SampleError, match=message):
        unseal(written | {"json": json.dumps(body).encode()})


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"7", b"\xff"])
def test_what_is_no_json_object_is_refused(frame, payload):
    with pytest.raises(SampleError, match="json"):
        unseal(members(frame()) | {"json": payload})


@pytest.mark.parametrize("key", ["", "a.b", "A", "a b", "/a", "a/", "a//b", "../a", "\u00e4"])
def test_keys_that_would_split_or_collide_are_refused(key):
    with pytest.raises(SampleError, match="key"):
        check_key(key)


@pytest.mark.parametrize("key", ["a", "bonn/balloon_2/000123", "a-b/0"])
def test_good_keys_pass(key):
    check_key(key)
