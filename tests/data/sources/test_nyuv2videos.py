import numpy as np
import pytest

from ppvd.data.sources.nyuv2videos import FAULTY, NyuV2Videos

SIZE = (480, 640)
SCENE = "cafe/cafe_0001a"
CODE = 975
Z = np.float32(351.3 / (1092.5 - CODE))


def record_picture(tree, second, *, grey=90, scene=SCENE):
    payload = b"P6\n640 480\n255\n" + np.full((*SIZE, 3), grey, np.uint8).tobytes()
    tree.bytes(f"{scene}/r-{second}-7.ppm", payload)


def record_depth(tree, second, *, scene=SCENE, name=None):
    payload = b"P5\n640 480\n65535\n" + np.full(SIZE, CODE, "<u2").tobytes()
    tree.bytes(f"{scene}/{name or f'd-{second}-8.pgm'}", payload)


@pytest.fixture
def cafe(tree):
    for number, second in enumerate(
        ("1294439300.5", "1294439300.62", "1294439300.7", "1294439302.0")
    ):
        record_picture(tree, second, grey=50 + 50 * number)
    for second in ("1294439300.61", "1294439300.69", "1294439301.5", "1294439302.05"):
        record_depth(tree, second)
    tree.text(f"{SCENE}/INDEX.txt", "a-1.dump")
    return tree


def test_a_recording_becomes_depth_at_the_pixels_of_the_picture_nearest_in_time(
    cafe, frames, holds
):
    source = NyuV2Videos(raw=cafe.root)
    found, left_out = frames(source)
    assert list(found) == [f"cafe_0001a/{number:06d}" for number in (0, 1, 3)]
    assert left_out == {"cafe_0001a/000002": "no picture was taken within 0.1 s of it"}
    assert [frame.image[240, 320, 0] for frame in found.values()] == [100, 150, 200]
    for frame in found.values():
        np.testing.assert_array_equal(np.unique(frame.depth), [0, Z])
        assert frame.valid[100:380, 100:540].mean() > 0.9
        assert (frame.image[0, 0] == 0).all()  # What the lens did not see.
    assert holds(source, max_left_out=0.5).num_samples == 3


def test_scenes_are_chosen_by_name_and_make_videos(cafe):
    record_picture(cafe, "1.0", scene="study_0002")
    record_depth(cafe, "1.01", scene="study_0002")
    source = NyuV2Videos(raw=cafe.root, scenes=("cafe_0001a",), clips=True, frames_per_clip=2)
    assert len(source) == 1
    assert [frame.index for frame in source.sample(0).frames] == [0, 1]


def test_one_scene_may_be_the_root(cafe):
    keys = [entry.key for entry in NyuV2Videos(raw=cafe.root / SCENE).entries]
    assert keys[0] == "nyuv2videos/cafe_0001a/000000"


def test_an_export_in_step_is_in_millimetres(tree, frames):
    tree.picture("basement_0001a/rgb_00000.jpg", SIZE)
    tree.png("basement_0001a/sync_depth_00000.png", np.full(SIZE, 3000, np.uint16))
    found, left_out = frames(NyuV2Videos(raw=tree.root))
    assert not left_out
    assert (found["basement_0001a/000000"].depth == 3).all()


def test_what_is_missing_broken_or_known_to_be_damaged_is_left_out(tree, frames):
    record_picture(tree, "5.0")
    record_depth(tree, "5.01")
    record_picture(tree, "6.0")
    record_depth(tree, "6.01")
    record_picture(tree, "1315166703.13")
    record_depth(tree, "", name=FAULTY[0])
    tree.truncate(f"{SCENE}/d-5.01-8.pgm", 0.99999)
    tree.truncate(f"{SCENE}/r-6.0-7.ppm", 0.5)
    record_depth(tree, "7.0", scene="lone")
    found, left_out = frames(NyuV2Videos(raw=tree.root))
    assert not found
    assert "must be a whole PGM" in left_out["cafe_0001a/000000"]
    assert "must be a whole PPM" in left_out["cafe_0001a/000001"]
    assert "known to be damaged" in left_out["cafe_0001a/000002"]
    assert left_out["lone/000000"] == "its picture file is missing"
