import numpy as np
import pytest

from ppvd.data.sources.pointodyssey import PointOdyssey

SIZE = (27, 48)


@pytest.fixture
def video(tree):
    """Writes a video whose camera moves 0.1 m a frame along its optical axis."""

    def write(folder="train/dancing", *, num_frames=4, codes=656, num_poses=None, dtype=np.uint16):
        for number in range(num_frames):
            tree.picture(f"{folder}/rgbs/rgb_{number:05d}.jpg", SIZE, seed=number)
            depth = np.broadcast_to(codes, SIZE).astype(dtype)
            tree.png(f"{folder}/depths/depth_{number:05d}.png", depth)
        count = num_frames if num_poses is None else num_poses
        extrinsics = np.tile(np.eye(4), (count, 1, 1))
        extrinsics[:, 2, 3] = -0.1 * np.arange(count)
        matrix = np.array([[40.0, 0, 23.5], [0, 40, 13], [0, 0, 1]])
        intrinsics = np.tile(matrix, (count, 1, 1)).astype(np.float32)
        tree.npz(f"{folder}/anno.npz", intrinsics=intrinsics, extrinsics=extrinsics)
        return folder

    return write


def test_codes_are_thousandths_of_their_range_in_metres(video, frames, tree, states):
    codes = np.full(SIZE, 656)
    codes[0, :4] = [0, 65, 65535, 65534]
    video(num_frames=1, codes=codes)
    read, left_out = frames(PointOdyssey(raw=tree.root))
    frame = read["train/dancing/000000"]
    np.testing.assert_allclose(frame.depth[1:], 656 * 1000 / 65535, rtol=1e-6)  # 10.01 m.
    assert states(frame)[0, :4].tolist() == [0, 1, 2, 1]
    (outdoor,) = frames(PointOdyssey(raw=tree.root, zero_is_sky=True))[0].values()
    assert states(outdoor)[0, :4].tolist() == [2, 1, 2, 1]
    assert not left_out


def test_cameras_are_those_of_the_frame_s_number(video, frames, tree):
    video()
    tree.remove("train/dancing/rgbs/rgb_00001.jpg")
    read, left_out = frames(PointOdyssey(raw=tree.root))
    frame = read["train/dancing/000003"]
    np.testing.assert_allclose(frame.pose[:3, 3], [0, 0, 0.3])
    np.testing.assert_allclose(frame.intrinsics, [[40, 0, 23.5], [0, 40, 13], [0, 0, 1]])
    assert left_out == {"train/dancing/000001": "its picture file is missing"}


def test_shards_keep_pictures_and_codes_as_they_are(video, holds, tree):
    from ppvd.data.codes import DeltaZstd
    from ppvd.data.plan import pieces
    from ppvd.data.source import ShardSource
    from ppvd.data.stream import read_pieces

    codes = np.arange(27 * 48).reshape(SIZE) * 50
    codes[0, :2] = [65534, 65535]
    video(num_frames=4, codes=codes)
    manifest = holds(PointOdyssey(raw=tree.root, clips=True, frames_per_clip=4))
    assert manifest.num_samples == 1
    shards = ShardSource(manifest=str(tree.root.parent / "out")).open()
    (raw,) = read_pieces(shards, list(pieces([1], start=0, stop=1)), on_bad=pytest.fail)
    for number in range(4):
        folder = tree.root / "train/dancing"
        assert (
            raw.members[f"{number:03d}.jpg"] == (folder / f"rgbs/rgb_{number:05d}.jpg").read_bytes()
        )
        stored = DeltaZstd().unpack(raw.members[f"{number:03d}.depth.u16.zst"], size=codes.shape)
        np.testing.assert_array_equal(stored, codes)


def test_the_official_split_is_the_folder(video, frames, tree):
    video(num_frames=1)
    video("val/x", num_frames=1)
    assert list(frames(PointOdyssey(raw=tree.root))[0]) == ["train/dancing/000000"]
    assert list(frames(PointOdyssey(raw=tree.root, split="val"))[0]) == ["val/x/000000"]
    # The folder of one split is as good as the folder of all.
    inner = PointOdyssey(raw=tree.root / "val", split="val")
    assert list(frames(inner)[0]) == ["val/x/000000"]


def test_sequences_can_be_chosen(video, tree):
    for name in ("dancing", "ani10_new_f", "kg", "scene1_0129_4"):
        video(f"train/{name}", num_frames=1)

    def scenes(**options):
        source = PointOdyssey(raw=tree.root, **options)
        return sorted(entry.shots[0].scene for entry in source.entries)

    assert scenes() == ["ani10_new_f", "dancing", "kg", "scene1_0129_4"]
    assert scenes(variant="indoor") == ["dancing", "kg", "scene1_0129_4"]
    assert scenes(leave_out=("ani*", "kg")) == ["dancing", "scene1_0129_4"]


def test_unfit_frames_are_named(video, frames, tree):
    video("train/ani_s", num_frames=1)
    tree.remove("train/ani_s/anno.npz")
    video("train/dancing", num_frames=3, num_poses=2)
    video("train/kg", num_frames=1, codes=7, dtype=np.uint8)
    video("train/girl", num_frames=1)
    tree.truncate("train/girl/anno.npz")
    read, left_out = frames(PointOdyssey(raw=tree.root))
    assert sorted(read) == ["train/dancing/000000", "train/dancing/000001"]
    assert "anno.npz is missing" in left_out["train/ani_s/000000"]
    assert "no camera for frame 2" in left_out["train/dancing/000002"]
    assert "grey picture of 16 bits, got uint8" in left_out["train/kg/000000"]
    assert "anno.npz must hold intrinsics" in left_out["train/girl/000000"]


def test_a_pose_that_is_none_is_left_away(video, frames, tree):
    folder = video(num_frames=2)
    with np.load(tree.root / folder / "anno.npz") as arrays:
        content = dict(arrays)
    content["extrinsics"][1, 0, 3] = np.inf
    tree.npz(f"{folder}/anno.npz", **content)
    read, _ = frames(PointOdyssey(raw=tree.root))
    assert [read[key].pose is None for key in sorted(read)] == [False, True]
