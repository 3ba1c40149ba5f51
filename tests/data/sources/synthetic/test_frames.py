import hashlib
import subprocess
import sys

import numpy as np
import pytest

from ppvd.data.sources.synthetic import render_clip, render_frame
from ppvd.data.sources.synthetic.frames import scene_of

SIZE = (48, 64)


def checksum(frame):
    """Hash image, states, and depth to about one part in ten thousand."""
    rounded = (frame.depth.view(np.uint32) + (1 << 9)) >> 10
    parts = frame.image, frame.valid, frame.sky, rounded.astype(np.uint32)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


GOLDEN = {
    0: "0b32b84548ce469d",
    1: "06e09b00d2b40a94",
    2: "8e33fe9b2dc0a476",
    3: "7e7f5e86102d1a98",
    4294967295: "c52dc3d51ae51218",
}


@pytest.mark.parametrize("seed", GOLDEN)
def test_pictures_are_the_same_on_every_machine(seed):
    """A change of these numbers changes every shard that was ever rendered: say so."""
    assert checksum(render_frame(seed, size=SIZE)) == GOLDEN[seed]


def test_yards_are_the_same_on_every_machine():
    assert checksum(render_frame(0, size=SIZE, world="yard")) == "7eccf43f0aa76224"


def test_a_seed_repeats_to_the_bit_and_another_differs():
    first, again, other = (render_frame(seed, size=SIZE) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.depth, again.depth)
    np.testing.assert_array_equal(first.pose, again.pose)
    assert not np.array_equal(first.image, other.image)
    assert first.key == again.key != other.key


def test_another_process_with_other_hashes_threads_and_no_simd_draws_the_same():
    code = (
        "import sys; from ppvd.data.sources.synthetic import render_frame;"
        "frames = [render_frame(seed, size=(48, 64)) for seed in (7, 11)];"
        "parts = [(f.image.tobytes(), f.depth.tobytes(), f.pose.tobytes()) for f in frames];"
        "sys.stdout.buffer.write(b''.join(map(b''.join, parts)))"
    )
    simd = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    env = {"PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "3", "PYTHONPATH": ":".join(sys.path)}
    env["NPY_DISABLE_CPU_FEATURES"] = " ".join(simd)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    frames = [render_frame(seed, size=SIZE) for seed in (7, 11)]
    here = [f.image.tobytes() + f.depth.tobytes() + f.pose.tobytes() for f in frames]
    assert {frame.scene.split("-")[0] for frame in frames} == {"indoor", "street"}
    assert done.stdout == b"".join(here)


@pytest.mark.parametrize("seed", range(12))
def test_states_and_ranges_hold_in_every_picture(seed):
    frame = render_frame(seed, size=(40, 40))
    assert not (frame.sky & frame.valid).any()
    assert (frame.depth[~frame.valid] == 0.0).all()
    assert (frame.depth[frame.valid] > 0.1).all()
    assert frame.depth.max() < 600.0
    assert frame.valid.mean() > 0.3
    assert frame.image.std() > 15.0
    assert 40 < frame.image.mean() < 220


@pytest.mark.parametrize("size", [(256, 256), (24, 90), (90, 24), (1, 1), (7, 5)])
def test_any_size_and_aspect_is_rendered(size):
    frame = render_frame(2, size=size)
    assert frame.depth.shape == size
    focal, half_diagonal = frame.intrinsics[0, 0], 0.5 * np.hypot(*size)
    view = 2.0 * np.degrees(np.arctan(half_diagonal / focal))
    assert view == pytest.approx(scene_of(2).camera.view_deg)
    np.testing.assert_allclose(frame.intrinsics[:2, 2], [(size[1] - 1) / 2, (size[0] - 1) / 2])


def test_a_finer_grid_sees_the_same_depth():
    """Pixel centres of 32 x 32 are every third centre of 96 x 96."""
    for seed in range(6):
        coarse, fine = render_frame(seed, size=(32, 32)), render_frame(seed, size=(96, 96))
        same = np.isclose(coarse.depth, fine.depth[1::3, 1::3], rtol=1e-6)
        assert same.mean() > 0.985


def test_scenes_are_as_deep_as_rooms_and_streets_are():
    frames = [render_frame(seed, size=(32, 32)) for seed in range(40)]
    rooms = [f for f in frames if f.scene.startswith("indoor")]
    streets = [f for f in frames if f.scene.startswith("street")]
    assert min(len(rooms), len(streets)) > 12
    medians = [
        np.median([np.median(f.depth[f.valid]) for f in group]) for group in (rooms, streets)
    ]
    assert 1.5 < medians[0] < 6.0
    assert medians[1] > medians[0]
    assert np.mean([f.depth.max() > 60.0 for f in streets]) > 0.6
    assert np.mean([f.sky.any() for f in streets]) > 0.8


def test_a_yard_ends_at_its_walls_and_is_never_empty():
    for seed in range(20):
        frame = render_frame(seed, size=(32, 32), world="yard")
        assert frame.scene == f"yard-{seed:010d}"
        assert 0.8 < frame.depth[frame.valid].min() < frame.depth.max() < 12.0
        assert "ball" in frame.metadata["things"]
        assert len(frame.metadata["things"]) > 3


def test_a_walk_leads_through_a_yard_by_metres_and_into_nothing():
    spans = []
    for seed in range(12):
        clip = render_clip(seed, num_frames=24, size=(16, 16), fps=4.0, world="walk")
        places = np.stack([frame.pose[:3, 3] for frame in clip])
        spans.append(np.ptp(places, axis=0).max())
        assert clip[0].metadata["things"] == list(scene_of(seed, world="yard").things)
        assert min(frame.depth[frame.valid].min() for frame in clip) > 0.3
    assert min(spans) > 2.0


def test_an_unknown_world_is_refused():
    with pytest.raises(ValueError, match=r"world must be one of .*'everyday', 'yard'.* got 'moon'"):
        render_frame(0, size=(8, 8), world="moon")


def test_everything_occurs_among_the_first_seeds():
    seen = {name for seed in range(80) for name in scene_of(seed).things}
    assert seen >= {
        *("ball", "bed", "bookcase", "cabinet", "chair", "door", "doorway", "lamp", "pendant"),
        *("person", "picture", "plant", "room", "rug", "sofa", "table", "television", "window"),
        *("bench", "bin", "bollard", "bush", "car", "conifer", "fence", "hedge", "hill", "house"),
        *("lamp_post", "road", "sign", "tree", "van", "wall", "wire"),
    }
    assert render_frame(3, size=(8, 8)).metadata["things"] == list(scene_of(3).things)


def test_clips_start_with_the_frame_and_are_named_in_order():
    clip = render_clip(4, num_frames=3, size=SIZE)
    np.testing.assert_array_equal(clip[0].image, render_frame(4, size=SIZE).image)
    assert [frame.index for frame in clip] == [0, 1, 2]
    assert len({frame.key for frame in clip}) == 3
    assert len({frame.scene for frame in clip}) == 1


@pytest.mark.parametrize("seed", range(8))
def test_cameras_glide(seed):
    poses = np.stack([f.pose for f in render_clip(seed, num_frames=10, size=(4, 4), fps=10.0)])
    rotations = poses[:, :3, :3]
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.eye(3)[None].repeat(10, 0), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0)
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    turns = rotations[:-1].transpose(0, 2, 1) @ rotations[1:]
    angles = np.degrees(np.arccos(np.clip((np.trace(turns, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert steps.max() < 0.32
    assert angles.max() < 3.0
    assert steps.sum() + angles.sum() > 0.01


@pytest.mark.parametrize("seed", range(20))
def test_something_moves_and_most_stands_still(seed):
    now, later = scene_of(seed), scene_of(seed, time_s=0.4)
    assert len(now.solids) == len(later.solids)
    moved = [
        (a.centre, a.axes) != (b.centre, b.axes)
        for a, b in zip(now.solids, later.solids, strict=True)
    ]
    assert 0 < sum(moved) < 0.7 * len(moved)
    assert [a.material for a in now.solids] == [b.material for b in later.solids]
    assert now.light == later.light


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5, 8])
def test_static_points_fall_where_the_next_pose_puts_them(seed):
    first, last = render_clip(seed, num_frames=2, size=(96, 96), fps=1.0)
    assert _agreement(first, last, last.pose) > 0.87
    assert _agreement(first, last, first.pose) < 0.65


def _agreement(first, last, pose):
    """Return the share of points of ``first`` whose depth in ``last`` is as ``pose`` says."""
    v, u = np.nonzero(first.valid & (first.depth < 40.0))
    pixels = np.stack([u, v, np.ones_like(u)]).astype(float)
    local = np.linalg.inv(first.intrinsics) @ pixels * first.depth[v, u]
    world = first.pose[:3, :3] @ local + first.pose[:3, 3:]
    there = pose[:3, :3].T @ (world - pose[:3, 3:])
    spot = last.intrinsics @ there
    column, row = np.rint(spot[:2] / spot[2]).astype(int)
    inside = (there[2] > 0.2) & (column > 0) & (column < 95) & (row > 0) & (row < 95)
    column, row, expected = column[inside], row[inside], there[2][inside]
    around = np.stack([last.depth[row + dy, column + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    low, high = around.min(0), around.max(0)
    plain = (low > 0.0) & (high < 1.25 * low)
    agree = (expected > 0.985 * low) & (expected < 1.015 * high)
    assert plain.mean() > 0.4
    return agree[plain].mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed must not be negative, got -1"),
        ({"size": (0, 8)}, r"size must be a height and a width in whole pixels, got \(0, 8\)"),
        ({"size": (8, -8)}, "size must be"),
        ({"size": (8,)}, "size must be"),
        ({"size": (8.5, 8)}, "size must be"),
        ({"num_frames": 0}, "num_frames must be at least 1, got 0"),
        ({"fps": 0.0}, "fps must be a positive number, got 0.0"),
        ({"fps": float("nan")}, "fps must be a positive number"),
    ],
)
def test_numbers_out_of_range_are_refused(change, message):
    arguments = {"seed": 0, "num_frames": 2, "size": (8, 8)} | change
    with pytest.raises(ValueError, match=message):
        render_clip(arguments.pop("seed"), **arguments)
