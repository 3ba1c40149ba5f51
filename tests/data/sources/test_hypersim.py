import csv
import io

import numpy as np
import pytest

from ppvd.data.errors import ShardError
from ppvd.data.sources.hypersim import Hypersim, tone_map

SIZE = (48, 64)
# Rows of the authors' table of cameras: a plain lens, and one whose sensor is tilted and shifted.
PLAIN = [[0.5773502886169104, 0, 0], [0, 0.4330127164626828, 0], [0, 0, -1]]
TILTED = [
    [0.579607251426182, 0, -0.06955286861651404],
    [0, 0.4346865334657201, 0.09273312506660672],
    [0, 0.004054126980668954, -1.003909173803896],
]
# The table's strongest tilt about both axes leaves a skew.
SKEWED = [[0.5773502886169104, 0, 0.01], [0, 0.4330127164626828, 0], [0.05, 0.06, -1]]
LENSES = {"ai_001_001": PLAIN, "ai_037_002": TILTED, "ai_019_007": SKEWED}
SCALE = 0.0254


def table(columns, rows):
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue().encode()


def rays(scene):
    """Rays of the pixels in axes of OpenGL, as the authors' notebook makes them."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    u, v = 2 * (columns + 0.5) / SIZE[1] - 1, 1 - 2 * (rows + 0.5) / SIZE[0]
    return np.stack([u, v, np.ones(SIZE)], -1) @ np.array(LENSES[scene]).T


def rotation(angle=0.3):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) @ [[1, 0, 0], [0, c, -s], [0, s, c]]


def colours():
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.stack([columns / 8, rows / 8, columns * 0 + 0.5], -1).astype(np.float16)


class Scenes:
    """A download of Hypersim with the two tables beside its scenes."""

    def __init__(self, tree):
        self.tree, self.listed = tree, []

    def frame(self, scene, camera="cam_00", number=0, *, distance, released=True, split="train"):
        images = f"{scene}/images/scene_{camera}"
        self.listed.append((scene, camera, number, released, "", split))
        name = f"frame.{number:04d}"
        entity = np.where(np.isnan(distance), -1, 7).astype(np.int16)
        self.tree.hdf5(f"{images}_final_hdf5/{name}.color.hdf5", dataset=colours())
        depth = np.asarray(distance, np.float16)
        self.tree.hdf5(f"{images}_geometry_hdf5/{name}.depth_meters.hdf5", dataset=depth)
        self.tree.hdf5(f"{images}_geometry_hdf5/{name}.render_entity_id.hdf5", dataset=entity)

    def poses(self, scene, camera="cam_00", *, rotations, positions):
        folder = f"{scene}/_detail/{camera}/camera_keyframe"
        self.tree.hdf5(f"{folder}_orientations.hdf5", dataset=np.array(rotations, np.float64))
        self.tree.hdf5(f"{folder}_positions.hdf5", dataset=np.array(positions, np.float64))

    def write(self):
        columns = "scene_name camera_name frame_id included_in_public_release exclude_reason"
        columns = [*columns.split(), "split_partition_name"]
        name = "metadata_images_split_scene_v1.csv"
        self.tree.bytes(name, table(columns, self.listed))
        names = [f"M_cam_from_uv_{i}{j}" for i in range(3) for j in range(3)]
        rows = [[scene, SCALE, *np.ravel(lens)] for scene, lens in LENSES.items()]
        columns = ["scene_name", "settings_units_info_meters_scale", *names]
        self.tree.bytes("metadata_camera_parameters.csv", table(columns, rows))
        return self.tree.root


@pytest.fixture
def scenes(tree):
    return Scenes(tree)


def wall(z=3.0, scene="ai_001_001"):
    """Distances to a plane at depth ``z``."""
    directions = rays(scene)
    return np.linalg.norm(directions, axis=-1) / -directions[..., 2] * z


def test_a_wall_at_three_metres_comes_back_as_three_metres(scenes, frames):
    distance = wall()
    assert distance.max() > 3.5  # What would be taken for depth without the conversion.
    scenes.frame("ai_001_001", distance=distance)
    read, _ = frames(Hypersim(raw=scenes.write()))
    frame = read["ai_001_001/cam_00/000000"]
    np.testing.assert_allclose(frame.depth, 3.0, atol=0.002)
    assert frame.valid.all()
    camera = [[55.426, 0, 31.5], [0, 55.426, 23.5], [0, 0, 1]]
    np.testing.assert_allclose(frame.intrinsics, camera, atol=1e-3)
    assert frame.scene == "ai_001_001"


@pytest.mark.parametrize(("scene", "error"), [("ai_037_002", 0.003), ("ai_019_007", 0.06)])
def test_a_tilted_lens_sees_a_slanted_plane_where_it_is(scenes, frames, scene, error):
    """Depth, intrinsics and pose together put every pixel's point on the plane in the world."""
    turn, position = rotation(), np.array([40.0, -25.0, 80.0])
    directions = rays(scene) @ turn.T
    normal, offset = np.array([0.2, 0.3, 0.9]), -4.0
    start = position * SCALE
    reach = (offset - start @ normal) / (directions @ normal)
    assert (reach > 0).all()
    points = start + reach[..., None] * directions
    scenes.frame(scene, distance=np.linalg.norm(points - start, axis=-1))
    scenes.poses(scene, rotations=[turn], positions=[position])
    read, _ = frames(Hypersim(raw=scenes.write()))
    frame = read[f"{scene}/cam_00/000000"]
    along_axis = (points - start) @ frame.pose[:3, 2]
    np.testing.assert_allclose(frame.depth, along_axis, rtol=6e-4)  # Half a step of float16.
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    pixels = np.stack([columns, rows, np.ones(SIZE)], -1)
    local = frame.depth[..., None] * (pixels @ np.linalg.inv(frame.intrinsics).T)
    world = local @ frame.pose[:3, :3].T + frame.pose[:3, 3]
    assert np.abs(world - points).max() < error * 2
    assert np.abs(world @ normal - offset).max() < error
    assert ("skew_px" in frame.metadata) == (scene == "ai_019_007")


def test_what_has_no_geometry_is_unknown_and_far_walls_do_not_wrap(scenes, frames, states):
    distance = wall()
    distance[:4, :6] = np.nan
    distance[5, 5], distance[6, 6] = 0, 70
    distance[7, 7] = np.inf
    scenes.frame("ai_001_001", distance=distance)
    read, _ = frames(Hypersim(raw=scenes.write()))
    frame = read["ai_001_001/cam_00/000000"]
    unknown = np.isnan(distance) | (distance == 0) | np.isinf(distance)
    np.testing.assert_array_equal(states(frame), ~unknown)
    assert 55 < frame.depth[6, 6] < 70


def test_the_published_split_decides(scenes, frames):
    for number, (released, split) in enumerate(
        [(True, "train"), (False, "train"), (True, "val"), (True, "test"), (True, "train")]
    ):
        scenes.frame("ai_001_001", number=number, distance=wall(), released=released, split=split)
    raw = scenes.write()
    train, _ = frames(Hypersim(raw=raw))
    assert sorted(train) == ["ai_001_001/cam_00/000000", "ai_001_001/cam_00/000004"]
    assert list(frames(Hypersim(raw=raw, split="val"))[0]) == ["ai_001_001/cam_00/000002"]


def test_unfit_frames_are_named(scenes, frames, tree):
    for number in range(4):
        scenes.frame("ai_001_001", number=number, distance=wall())
    scenes.frame("ai_001_001", "cam_01", distance=wall())
    scenes.listed.append(("ai_001_001", "cam_02", 0, True, "", "train"))  # A camera without folder.
    scenes.listed.append(("ai_055_010", "cam_00", 0, True, "", "train"))  # Not downloaded.
    scenes.frame("ai_004_009", "cam_01", distance=wall())
    images = "ai_001_001/images/scene_cam_00"
    tree.remove(f"{images}_geometry_hdf5/frame.0000.depth_meters.hdf5")
    tree.truncate(f"{images}_geometry_hdf5/frame.0001.depth_meters.hdf5")
    tree.pointer(f"{images}_final_hdf5/frame.0002.color.hdf5")
    read, left_out = frames(Hypersim(raw=scenes.write()))
    assert sorted(read) == ["ai_001_001/cam_00/000003", "ai_001_001/cam_01/000000"]
    reasons = {
        "ai_001_001/cam_00/000000": "frame.0000.depth_meters.hdf5 is missing",
        "ai_001_001/cam_00/000001": "frame.0001.depth_meters.hdf5 must be a whole HDF5 file",
        "ai_001_001/cam_00/000002": "Git LFS pointer",
        "ai_001_001/cam_02/000000": "is missing",
        "ai_004_009/cam_01/000000": "authors call broken",
    }
    assert left_out.keys() == reasons.keys()
    for key, reason in reasons.items():
        assert reason in left_out[key]


def test_a_broken_rotation_leaves_the_frame_without_pose(scenes, frames):
    for number in range(4):
        scenes.frame("ai_001_001", number=number, distance=wall())
    rotations = [np.diag([1, 1, 0.5]), np.full((3, 3), np.nan), np.eye(3)]
    scenes.poses("ai_001_001", rotations=rotations, positions=np.zeros((3, 3)))
    read, _ = frames(Hypersim(raw=scenes.write()))
    posed = {key[-1]: frame.pose is not None for key, frame in read.items()}
    assert posed == {"0": False, "1": False, "2": True, "3": False}


def test_a_list_keeps_what_it_names(scenes, frames, tree):
    for number in range(12):
        scenes.frame("ai_001_001", number=number, distance=wall())
    lines = [f"ai_001_001/rgb_cam_00_fr{n:04d}.png ai_001_001/depth_x.png" for n in (3, 11)]
    tree.text("keep.txt", *lines, "ai_001_001,cam_00,5")
    raw = scenes.write()
    read, _ = frames(Hypersim(raw=raw, keep=raw / "keep.txt"))
    assert sorted(int(key[-2:]) for key in read) == [3, 5, 11]
    tree.text("keep.txt", "frame 7 of the first scene")
    with pytest.raises(ShardError, match="must name scene, camera and frame, got 'frame 7"):
        len(Hypersim(raw=raw, keep=raw / "keep.txt"))


def test_one_focal_length_for_all_is_an_option(scenes, frames):
    scenes.frame("ai_001_001", distance=wall())
    scenes.frame("ai_037_002", distance=wall(scene="ai_037_002"))
    read, _ = frames(Hypersim(raw=scenes.write(), planar="marigold"))
    np.testing.assert_allclose(read["ai_001_001/cam_00/000000"].depth, 3.0, atol=0.002)
    other = read["ai_037_002/cam_00/000000"]
    assert np.abs(other.depth - 3).max() > 0.05
    assert other.intrinsics[0, 0] == pytest.approx(886.81 / 16)


def test_tone_mapping_puts_the_bright_tenth_above_four_fifths():
    rng = np.random.default_rng(0)
    colour = rng.gamma(2.0, 3.0, (50, 60, 3)).astype(np.float32)
    known = np.ones((50, 60), bool)
    known[:10], colour[:10] = False, 1e4
    colour[20, 20], colour[20, 21] = np.nan, np.inf
    image = tone_map(colour, known)
    usable = np.isfinite(colour).all(-1) & known
    brightness = colour @ [0.3, 0.59, 0.11]
    scale = 0.8**2.2 / np.percentile(brightness[usable], 90)
    expected = (np.clip(scale * colour[usable].astype(float), 0, 1) ** (1 / 2.2) * 255).astype(int)
    assert np.abs(image[usable].astype(int) - expected).max() <= 1
    assert image[20, 20].tolist() == [0, 0, 0]
    assert image[20, 21].tolist() == [255, 255, 255]


def test_a_dark_picture_is_black_and_one_without_geometry_is_not_scaled():
    known = np.ones((4, 4), bool)
    assert not tone_map(np.full((4, 4, 3), 1e-5, np.float32), known).any()
    plain = tone_map(np.full((4, 4, 3), 0.5, np.float32), ~known)
    assert (plain == int(0.5 ** (1 / 2.2) * 255)).all()


def test_a_missing_table_is_named(scenes, tree):
    scenes.frame("ai_001_001", distance=wall())
    scenes.write()
    tree.remove("metadata_camera_parameters.csv")
    assert len(Hypersim(raw=tree.root)) == 1
    tree.remove("metadata_images_split_scene_v1.csv")
    with pytest.raises(ShardError, match=r"needs metadata_images_split_scene_v1\.csv, which lies"):
        len(Hypersim(raw=tree.root))


def test_shards_are_built_in_processes_and_say_what_was_left_out(scenes, holds, tree):
    for number in range(6):
        scenes.frame("ai_001_001", number=number, distance=wall(2.0 + number))
    tree.remove("ai_001_001/images/scene_cam_00_final_hdf5/frame.0003.color.hdf5")
    manifest = holds(Hypersim(raw=scenes.write()), num_workers=2, max_left_out=0.5)
    assert manifest.num_samples == 5
    (left_out,) = manifest.left_out
    assert left_out.key == "hypersim/ai_001_001/cam_00/000003"
    assert manifest.source["planar"] == "exact"
    assert manifest.source["revision"]["files"] == 6 * 3 - 1
