import numpy as np
import pytest

from ppvd.data.errors import ShardError
from ppvd.data.sources.tartanair import TartanAir

SIZE = (24, 32)
DOUBLED, FLAT = "gascola/gascola/Easy/P000", "ocean/Hard/P001"


@pytest.fixture
def flight(tree):
    """Writes a trajectory that moves north, then looks east."""

    def write(folder=DOUBLED, *, num_frames=4, metres=None, dtype=np.float32, poses=None):
        for number in range(num_frames):
            ramp = 3 + number / 10 + np.arange(SIZE[1]) / 100
            depth = np.broadcast_to(ramp if metres is None else metres, SIZE).astype(dtype)
            tree.picture(f"{folder}/image_left/{number:06d}_left.png", SIZE, seed=number)
            tree.npy(f"{folder}/depth_left/{number:06d}_left_depth.npy", depth)
        rows = [(number, 0, 0, 0, 0, 0, 1) for number in range(num_frames)]
        tree.text(f"{folder}/pose_left.txt", *(rows if poses is None else poses))
        return folder

    return write


def test_depth_is_what_the_files_say(flight, frames, tree):
    flight()
    read, left_out = frames(TartanAir(raw=tree.root))
    frame = read["gascola/easy/p000/000002"]
    np.testing.assert_allclose(frame.depth[7], 3.2 + np.arange(32) / 100, rtol=1e-6)
    np.testing.assert_allclose(frame.intrinsics, [[16, 0, 15.5], [0, 16, 11.5], [0, 0, 1]])
    assert not left_out


def test_the_sky_lies_ten_kilometres_away(flight, frames, tree, states):
    metres = np.full(SIZE, 3.0)
    metres[0, :6] = [10_000, np.inf, np.nan, 0, 200.1, 199.9]
    flight(num_frames=1, metres=metres)
    (frame,) = frames(TartanAir(raw=tree.root))[0].values()
    assert states(frame)[0, :6].tolist() == [2, 2, 0, 0, 2, 1]


@pytest.mark.parametrize("change", [np.float16, np.float64, ">f4"])
def test_numbers_of_any_kind_are_read(flight, frames, tree, change):
    flight(num_frames=1, metres=3.0, dtype=change)
    (frame,) = frames(TartanAir(raw=tree.root))[0].values()
    np.testing.assert_array_equal(frame.depth, np.float32(3))


def test_a_map_with_a_third_axis_of_one_is_read(flight, frames, tree):
    flight(num_frames=1)
    depth = np.full((*SIZE, 1), 3.0, np.float32)
    tree.npy(f"{DOUBLED}/depth_left/000000_left_depth.npy", depth)
    (frame,) = frames(TartanAir(raw=tree.root))[0].values()
    np.testing.assert_array_equal(frame.depth, np.float32(3))


def test_a_vehicle_s_axes_become_a_camera_s(flight, frames, tree):
    """North is forward, east is right, and down stays down."""
    east = (np.sqrt(0.5), 0, 0)  # A quarter turn about the axis that points down.
    flight(num_frames=2, poses=[(5, 7, 11, 0, 0, 0, 1), (0, 0, 0, 0, 0, east[0], east[0])])
    read, _ = frames(TartanAir(raw=tree.root))
    first, second = (read[key].pose for key in sorted(read))
    np.testing.assert_allclose(first[:3, 3], [7, 11, 5])
    np.testing.assert_allclose(first[:3, :3], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(second[:3, :3] @ [0, 0, 1], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(second[:3, :3] @ [0, 1, 0], [0, 1, 0], atol=1e-12)


def test_poses_that_are_none_or_cannot_be_told_apart_are_left_away(flight, frames, tree):
    nan = (0, 0, 0, "nan", 0, 0, 1)
    flight(num_frames=2, poses=[(0, 0, 0, 0, 0, 0, 1), nan])
    flight(FLAT, num_frames=2, poses=[(0, 0, 0, 0, 0, 0, 1)])
    read, left_out = frames(TartanAir(raw=tree.root))
    posed = {key: frame.pose is not None for key, frame in read.items()}
    assert posed == {
        "gascola/easy/p000/000000": True,
        "gascola/easy/p000/000001": False,
        "ocean/hard/p001/000000": False,
        "ocean/hard/p001/000001": False,
    }
    assert not left_out


def test_trajectories_held_out_are_the_validation(flight, frames, tree):
    flight("gascola/gascola/Easy/P008", num_frames=1)
    flight("gascola/gascola/Hard/P008", num_frames=1)
    flight("carwelding/Easy/P007", num_frames=1)
    train, _ = frames(TartanAir(raw=tree.root))
    val, _ = frames(TartanAir(raw=tree.root, split="val"))
    assert list(train) == ["gascola/hard/p008/000000"]
    assert sorted(val) == ["carwelding/easy/p007/000000", "gascola/easy/p008/000000"]


def test_thirty_two_trajectories_are_held_out():
    from ppvd.data.sources.tartanair import _held_out

    assert len(_held_out()) == 32


def test_a_trajectory_unpacked_twice_is_refused(flight, tree):
    flight(num_frames=1)
    flight("again/gascola/Easy/P000", num_frames=1)
    with pytest.raises(ShardError, match="tartanair/gascola/easy/p000/000000 is there twice"):
        len(TartanAir(raw=tree.root))


def test_clips_end_at_a_missing_frame(flight, frames, tree):
    flight(num_frames=20)
    tree.remove(f"{DOUBLED}/depth_left/000007_left_depth.npy")
    clips = TartanAir(raw=tree.root, clips=True, frames_per_clip=8)
    runs = sorted([shot.number for shot in e.shots] for e in clips.entries if not e.fault)
    assert runs == [list(range(7)), list(range(8, 16)), list(range(16, 20))]
    read, left_out = frames(clips)
    assert len(read) == 19
    assert left_out == {"gascola/easy/p000/000007": "its depth file is missing"}


def test_a_limit_is_a_fair_draw_that_does_not_change(flight, tree):
    flight(num_frames=20)
    flight(FLAT, num_frames=20)
    whole = [entry.key for entry in TartanAir(raw=tree.root).entries]
    drawn = [entry.key for entry in TartanAir(raw=tree.root, limit=12).entries]
    assert drawn == whole[:12]
    assert 2 < sum("ocean" in key for key in drawn) < 10
    assert whole != sorted(whole)
    flight("ocean/Hard/P002", num_frames=20)  # More data adds frames, it does not reorder them.
    more = [entry.key for entry in TartanAir(raw=tree.root).entries if "p002" not in entry.key]
    assert more == whole


def test_shards_of_clips_hold_what_was_read(flight, holds, tree):
    flight(num_frames=8)
    manifest = holds(TartanAir(raw=tree.root, clips=True, frames_per_clip=4))
    assert (manifest.num_samples, manifest.left_out) == (2, ())
    assert manifest.source["frames_per_clip"] == 4
