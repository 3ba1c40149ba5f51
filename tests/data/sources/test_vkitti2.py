import numpy as np
import pytest

from ppvd.data.sources.vkitti2 import VKITTI2

SIZE = (19, 62)


def extrinsics(number, camera):
    """World-to-camera of a drive along x, looking along it; cameras 0.532725 m apart."""
    turn = np.array([[0, 1.0, 0], [0, 0, 1], [1, 0, 0]])
    centre = np.array([number * 1.5, 0.532725 * camera, 0])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, -turn @ centre
    return matrix


class Drives:
    """A download of Virtual KITTI 2; its three archives may have roots of their own."""

    def __init__(self, tree, roots=("", "", "")):
        self.tree, self.roots = tree, roots

    def write(
        self, scene="Scene01", variation="clone", *, num_frames=3, codes=1234, cameras=(0, 1)
    ):
        rgb, depth, text = (f"{root}{scene}/{variation}" for root in self.roots)
        for camera in cameras:
            for number in range(num_frames):
                name = f"Camera_{camera}/rgb_{number:05d}.jpg"
                self.tree.picture(f"{rgb}/frames/rgb/{name}", SIZE, seed=number)
                name = f"Camera_{camera}/depth_{number:05d}.png"
                map_ = np.broadcast_to(codes, SIZE).astype(np.uint16)
                self.tree.png(f"{depth}/frames/depth/{name}", map_)
        pairs = [(n, c) for n in range(num_frames) for c in cameras]
        self.tree.text(
            f"{text}/intrinsic.txt",
            "frame cameraID K[0,0] K[1,1] K[0,2] K[1,2]",
            *((n, c, 36.25, 36.25, 30.5, 9) for n, c in pairs),
        )
        rows = [(n, c, *extrinsics(n, c).ravel()) for n, c in pairs]
        self.tree.text(f"{text}/extrinsic.txt", "frame cameraID r1,1 r1,2 ...", *rows)


@pytest.fixture(params=["merged", "split"])
def drives(request, tree):
    split = ("vkitti_2.0.3_rgb/", "vkitti_2.0.3_depth/", "vkitti_2.0.3_textgt/")
    return Drives(tree, ("", "", "") if request.param == "merged" else split)


def test_codes_are_centimetres_and_the_last_one_is_sky(drives, frames, tree, states):
    codes = np.full(SIZE, 1234)
    codes[0, :6] = [1, 8000, 8001, 20001, 65535, 0]
    drives.write(num_frames=1, codes=codes, cameras=(0,))
    read, left_out = frames(VKITTI2(raw=tree.root))
    frame = read["scene01/clone/camera_0/000000"]
    np.testing.assert_allclose(frame.depth[1:], 12.34, rtol=1e-6)
    assert states(frame)[0, :6].tolist() == [1, 1, 1, 2, 2, 0]
    np.testing.assert_allclose(frame.depth[0, :3], [0.01, 80, 80.01], rtol=1e-6)
    np.testing.assert_allclose(frame.intrinsics, [[36.25, 0, 30.5], [0, 36.25, 9], [0, 0, 1]])
    assert not left_out


def test_poses_are_camera_to_world(drives, frames, tree):
    drives.write()
    read, _ = frames(VKITTI2(raw=tree.root))
    frame = read["scene01/clone/camera_1/000002"]
    np.testing.assert_allclose(frame.pose[:3, 3], [3.0, 0.532725, 0])
    np.testing.assert_allclose(frame.pose[:3, :3] @ [0, 0, 1], [1, 0, 0])  # It looks along x.


def test_shards_keep_pictures_and_codes_as_they_are(drives, holds, tree):
    from ppvd.data.codes import DeltaZstd
    from ppvd.data.plan import pieces
    from ppvd.data.source import ShardSource
    from ppvd.data.stream import read_pieces

    codes = np.arange(19 * 62).reshape(SIZE)
    drives.write(num_frames=1, codes=codes, cameras=(0,))
    manifest = holds(VKITTI2(raw=tree.root))
    assert manifest.num_samples == 1
    shards = ShardSource(manifest=str(tree.root.parent / "out")).open()
    (raw,) = read_pieces(shards, list(pieces([1], start=0, stop=1)), on_bad=pytest.fail)
    picture = VKITTI2(raw=tree.root).entries[0].shots[0].image
    assert raw.members["jpg"] == (tree.root / picture).read_bytes()
    stored = DeltaZstd().unpack(raw.members["depth.u16.zst"], size=codes.shape)
    np.testing.assert_array_equal(stored, codes)


def test_the_released_variations_are_the_default(drives, frames, tree):
    for variation in ("clone", "fog", "30-deg-left", "sunset"):
        drives.write("Scene20", variation, num_frames=1, cameras=(0,))
    read, _ = frames(VKITTI2(raw=tree.root))
    assert sorted(key.split("/")[1] for key in read) == ["clone", "sunset"]
    read, _ = frames(VKITTI2(raw=tree.root, variations=("fog",)))
    assert [key.split("/")[1] for key in read] == ["fog"]


def test_scenes_of_validation_are_not_trained_on(drives, frames, tree):
    for scene in ("Scene01", "Scene02"):
        drives.write(scene, num_frames=1, cameras=(0,))
    assert len(VKITTI2(raw=tree.root)) == 2
    train, _ = frames(VKITTI2(raw=tree.root, variant="marigold"))
    val, _ = frames(VKITTI2(raw=tree.root, variant="marigold", split="val"))
    assert {frame.scene for frame in train.values()} == {"Scene02"}
    assert {frame.scene for frame in val.values()} == {"Scene01"}
    with pytest.raises(ValueError, match="trains on all scenes"):
        VKITTI2(raw=tree.root, split="val")


def test_a_clip_is_a_run_of_one_camera(drives, tree):
    drives.write(num_frames=11)
    clips = VKITTI2(raw=tree.root, clips=True, frames_per_clip=4)
    lengths = {}
    for entry in clips.entries:
        sequence = {shot.sequence for shot in entry.shots}
        assert len(sequence) == 1
        lengths.setdefault(sequence.pop(), []).append([shot.number for shot in entry.shots])
    runs = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
    assert [sorted(numbers) for numbers in lengths.values()] == [runs, runs]
    sample = clips.sample(0)
    assert [frame.index for frame in sample.frames] == [s.number for s in clips.entries[0].shots]


class TestUnfit:
    @pytest.fixture
    def drives(self, tree):
        return Drives(tree)

    def test_frames_are_named(self, drives, frames, tree):
        drives.write(num_frames=5, cameras=(0,))
        folder = "Scene01/clone/frames"
        tree.remove(f"{folder}/depth/Camera_0/depth_00000.png")
        tree.truncate(f"{folder}/depth/Camera_0/depth_00001.png", 0.6)
        tree.png(f"{folder}/depth/Camera_0/depth_00002.png", np.zeros(SIZE, np.uint8))
        tree.truncate(f"{folder}/rgb/Camera_0/rgb_00003.jpg", 0.3)
        read, left_out = frames(VKITTI2(raw=tree.root))
        assert list(read) == ["scene01/clone/camera_0/000004"]
        reasons = [left_out[f"scene01/clone/camera_0/{number:06d}"] for number in range(4)]
        assert reasons[0] == "its depth file is missing"
        assert "depth_00001.png must be a grey picture of 16 bits, got a damaged" in reasons[1]
        assert "got uint8" in reasons[2]
        assert "rgb_00003.jpg" in reasons[3]

    def test_a_frame_without_its_row_has_no_pose(self, drives, frames, tree):
        drives.write(num_frames=2, cameras=(0,))
        path = tree.root / "Scene01/clone/extrinsic.txt"
        path.write_text("\n".join(path.read_text().splitlines()[:-1]))
        read, _ = frames(VKITTI2(raw=tree.root))
        assert [read[key].pose is None for key in sorted(read)] == [False, True]

    def test_without_texts_the_published_camera_holds_at_its_size_alone(self, drives, frames, tree):
        drives.write(num_frames=1, cameras=(0,))
        tree.remove("Scene01/clone/extrinsic.txt")
        _, left_out = frames(VKITTI2(raw=tree.root))
        assert "needs a row in intrinsic.txt" in next(iter(left_out.values()))
        tree.picture("Scene01/clone/frames/rgb/Camera_0/rgb_00000.jpg", (375, 1242))
        depth = np.full((375, 1242), 500, np.uint16)
        tree.png("Scene01/clone/frames/depth/Camera_0/depth_00000.png", depth)
        (frame,) = frames(VKITTI2(raw=tree.root))[0].values()
        assert frame.intrinsics[0, 0] == 725.0087
        assert (frame.pose, frame.metadata["camera"]) == (None, "published")
