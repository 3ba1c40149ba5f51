import numpy as np
import pytest

from ppvd.data.sources.unrealstereo4k import UnrealStereo4K

SIZE = (36, 64)
# At 3840 pixels of width; 64 have a sixtieth of it.
FOCAL_PX = 1920.0
BASELINE_M = 0.2


def extrinsics(position=(0, 0, 0), *, left_handed=True):
    """World-to-camera of a camera that looks along z of a world whose y axis points up."""
    turn = np.diag([1.0, -1.0 if left_handed else 1.0, 1.0])
    return np.concatenate([turn, -turn @ np.reshape(position, (3, 1))], axis=1)


@pytest.fixture
def view(tree):
    def write(
        number,
        disparity=3.2,
        *,
        scene="00003",
        size=SIZE,
        kind="png",
        left_handed=True,
        dtype=np.float32,
    ):
        name = f"{number:05d}"
        matrix = [FOCAL_PX, 0, 1920, 0, FOCAL_PX, 1080, 0, 0, 1]
        for side, x in enumerate((1.0, 1.0 + BASELINE_M)):
            pose = extrinsics((x, 2.0, 3.0), left_handed=left_handed)
            tree.text(f"{scene}/Extrinsics{side}/{name}.txt", tuple(matrix), tuple(pose.ravel()))
        tree.npy(f"{scene}/Disp0/{name}.npy", np.broadcast_to(disparity, size).astype(dtype))
        channels = 4 if kind == "png" else 3
        return tree.picture(f"{scene}/Image0/{name}.{kind}", size, channels=channels)

    return write


def test_depth_is_focal_times_baseline_over_disparity(view, frames, tree):
    image = view(0)
    read, left_out = frames(UnrealStereo4K(raw=tree.root))
    frame = read["00003/000000"]
    np.testing.assert_allclose(frame.depth, 32 * 0.2 / 3.2, rtol=1e-6)
    np.testing.assert_array_equal(frame.image, image)
    # Half of the sides from the corner of the first pixel is the middle of the picture.
    np.testing.assert_allclose(frame.intrinsics, [[32, 0, 31.5], [0, 32, 17.5], [0, 0, 1]])
    assert frame.metadata["baseline_m"] == pytest.approx(BASELINE_M)
    assert not left_out


@pytest.mark.parametrize("left_handed", [True, False])
def test_a_pose_is_ours_whatever_the_hand_of_the_world(view, frames, tree, left_handed):
    view(0, left_handed=left_handed)
    (frame,) = frames(UnrealStereo4K(raw=tree.root))[0].values()
    np.testing.assert_allclose(frame.pose[:3, :3], np.eye(3))
    np.testing.assert_allclose(frame.pose[:3, 3], [1, -2 if left_handed else 2, 3])
    assert frame.metadata["world"] == ("left-handed" if left_handed else "ours")


def test_missing_disparity_is_unknown_and_tiny_one_is_sky(view, frames, tree, states):
    disparity = np.full(SIZE, 3.2)
    disparity[0, :5] = [0, np.nan, 1e-6, -1, np.inf]
    view(0, disparity, dtype=np.float64)
    (frame,) = frames(UnrealStereo4K(raw=tree.root))[0].values()
    assert states(frame)[0, :6].tolist() == [0, 0, 2, 0, 0, 1]


def test_pictures_of_4k_are_stored_at_half_their_size(view, frames, tree):
    view(0, np.linspace(100, 200, 3840), size=(4, 3840))
    (small,) = frames(UnrealStereo4K(raw=tree.root))[0].values()
    (full,) = frames(UnrealStereo4K(raw=tree.root, full_size=True))[0].values()
    assert (small.depth.shape, full.depth.shape) == ((2, 1920), (4, 3840))
    np.testing.assert_array_equal(small.depth, full.depth[::2, ::2])
    assert small.intrinsics[0].tolist() == [960, 0, 959.5]
    assert full.intrinsics[0].tolist() == [1920, 0, 1919.5]


def test_the_small_download_is_read(view, frames, tree):
    view(0, kind="jpg")
    (frame,) = frames(UnrealStereo4K(raw=tree.root))[0].values()
    np.testing.assert_allclose(frame.depth, 2.0, rtol=1e-6)
    assert frame.source == ("00003/Image0/00000.jpg", "00003/Disp0/00000.npy")


def test_the_last_scene_is_the_test(view, frames, tree):
    view(0)
    view(0, scene="00008")
    assert list(frames(UnrealStereo4K(raw=tree.root))[0]) == ["00003/000000"]
    assert list(frames(UnrealStereo4K(raw=tree.root, split="test"))[0]) == ["00008/000000"]


def test_unfit_views_are_named(view, frames, tree):
    for number in range(5):
        view(number)
    tree.remove("00003/Extrinsics1/00000.txt")
    tree.truncate("00003/Disp0/00001.npy")
    tree.truncate("00003/Image0/00002.png")
    tree.text("00003/Extrinsics0/00003.txt", (1, 2, 3))
    read, left_out = frames(UnrealStereo4K(raw=tree.root))
    assert list(read) == ["00003/000004"]
    reasons = [left_out[f"00003/{number:06d}"] for number in range(4)]
    assert "Extrinsics1/00000.txt is missing" in reasons[0]
    assert "must be a whole .npy file" in reasons[1]
    assert "00002.png" in reasons[2]
    assert "must hold 9 and 12 finite numbers, got 3" in reasons[3]
