import numpy as np
import pytest

from ppvd.data.errors import ShardError
from ppvd.data.sources.irs import IRS

SIZE = (27, 48)
# At 48 pixels of width the focal length is 24 pixels: 24 * 0.1 m / 0.24 px is ten metres.
TEN_METRES = 0.24


@pytest.fixture
def view(tree):
    def write(number, disparity=TEN_METRES, *, folder="IRSDataset/Home/RoyalRoom", digits=0, **how):
        size, channels = how.get("size", SIZE), how.get("channels", ("G",))
        map_ = np.broadcast_to(disparity, size).astype(how.get("dtype", np.float32))
        name = f"{number:0{digits}d}" if digits else str(number)
        tree.exr(f"{folder}/d_{name}.exr", **dict.fromkeys(channels, np.ascontiguousarray(map_)))
        return tree.picture(f"{folder}/l_{name}.png", SIZE, channels=how.get("colours", 3))

    return write


def test_disparity_becomes_metres(view, frames, tree):
    image = view(1)
    read, left_out = frames(IRS(raw=tree.root))
    frame = read["home/royalroom/000001"]
    np.testing.assert_allclose(frame.depth, 10.0, rtol=1e-6)
    np.testing.assert_array_equal(frame.image, image)
    np.testing.assert_allclose(frame.intrinsics, [[24, 0, 23.5], [0, 24, 13], [0, 0, 1]])
    assert frame.pose is None
    assert not left_out


def test_frames_follow_their_numbers_not_their_names(view, tree):
    for number in (10, 2, 11, 1):
        view(number)
    clips = IRS(raw=tree.root, clips=True, frames_per_clip=2)
    assert sorted([s.number for s in e.shots] for e in clips.entries) == [[1, 2], [10, 11]]


@pytest.mark.parametrize(
    ("how", "channel", "error"),
    [
        ({"dtype": np.float16}, "G", 1e-3),
        ({"channels": ("B", "G", "R")}, "R", 1e-6),
        ({"colours": 4}, "G", 1e-6),
        ({"colours": 1}, "G", 1e-6),
    ],
)
def test_the_variants_of_the_files_that_were_seen_are_read(view, frames, tree, how, channel, error):
    image = view(1, **how)
    (frame,) = frames(IRS(raw=tree.root))[0].values()
    np.testing.assert_allclose(frame.depth, 10.0, rtol=error)
    np.testing.assert_array_equal(frame.image, image)
    assert frame.metadata["depth_channel"] == channel


def test_what_is_no_disparity_is_unknown(view, frames, tree, states):
    disparity = np.full(SIZE, TEN_METRES)
    disparity[0, :5] = [0, -1, np.nan, 0.011, 0.013]  # The last two are 218 m and 185 m.
    view(1, disparity)
    (frame,) = frames(IRS(raw=tree.root))[0].values()
    assert states(frame)[0, :6].tolist() == [0, 0, 0, 0, 1, 1]


def test_sequences_are_found_at_any_depth(view, frames, tree):
    view(1)
    view(2, folder="IRSDataset/Store/Store/Supermarket_Dark", digits=5)
    view(3, folder="Office")
    read, _ = frames(IRS(raw=tree.root))
    assert sorted(read) == [
        "home/royalroom/000001",
        "office/000003",
        "store/store/supermarket_dark/000002",
    ]
    assert read["store/store/supermarket_dark/000002"].scene == "Supermarket"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("ArchVizInterior03Data_Dark", "ArchVizInterior03Data"),
        ("SCLRestaurant001_NightFall", "SCLRestaurant001"),
        ("RoyalRoom_BL2_LensFlares", "RoyalRoom"),
        ("Office_Table", "Office_Table"),
    ],
)
def test_one_place_under_another_light_is_the_same_place(view, frames, tree, name, place):
    view(1, folder=name)
    (frame,) = frames(IRS(raw=tree.root))[0].values()
    assert frame.scene == place


def test_unfit_frames_are_named(view, frames, tree):
    for number in range(1, 5):
        view(number)
    view(377, size=(14, 24))
    folder = "IRSDataset/Home/RoyalRoom"
    tree.remove(f"{folder}/d_1.exr")
    tree.truncate(f"{folder}/d_2.exr")
    tree.bytes(f"{folder}/l_3.png", b"")
    read, left_out = frames(IRS(raw=tree.root))
    assert list(read) == ["home/royalroom/000004"]
    assert left_out["home/royalroom/000001"] == "its depth file is missing"
    assert "d_2.exr must be a whole EXR file" in left_out["home/royalroom/000002"]
    assert "l_3.png is empty" in left_out["home/royalroom/000003"]
    assert "must be of one size, got (27, 48) and (14, 24)" in left_out["home/royalroom/000377"]


def test_two_files_of_one_number_are_refused(view, tree):
    view(1)
    view(1, digits=5)
    with pytest.raises(ShardError, match=r"must have one number each, got .*1\.png and .*1\.png"):
        len(IRS(raw=tree.root))


def test_a_clip_ends_where_the_view_jumps_and_says_so(view, holds, tree):
    for number in range(12):
        view(number, TEN_METRES if number < 8 else TEN_METRES * 2)
    clips = IRS(raw=tree.root, clips=True, frames_per_clip=12)
    sample = clips.sample(0)
    assert [frame.index for frame in sample.frames] == list(range(8))
    manifest = holds(clips)
    assert [item.key[-2:] for item in manifest.left_out] == ["08", "09", "10", "11"]
    assert not any(item.whole for item in manifest.left_out)
    assert "jump" in manifest.left_out[0].reason


def test_a_damaged_frame_costs_the_clip_its_shorter_side(view, frames, tree):
    for number in range(12):
        view(number)
    tree.truncate("IRSDataset/Home/RoyalRoom/d_3.exr")
    sample = IRS(raw=tree.root, clips=True, frames_per_clip=12).sample(0)
    assert [frame.index for frame in sample.frames] == list(range(4, 12))
    reasons = {item.key[-2:]: item.reason for item in sample.left_out}
    assert "whole EXR" in reasons["03"]
    assert sorted(reasons) == ["00", "01", "02", "03"]
    tree.truncate("IRSDataset/Home/RoyalRoom/d_7.exr")
    _, left_out = frames(IRS(raw=tree.root, clips=True, frames_per_clip=12))
    (reason,) = left_out.values()
    assert "longest steady run of 4 frames is shorter than 6" in reason
    assert "d_3.exr must be a whole EXR file" in reason


def test_a_disparity_that_belongs_to_other_pictures_is_refused_if_that_is_asked_for(frames, tree):
    disparity = np.full(SIZE, 6, np.float32)
    disparity[:, 24:] = 3
    for number, factor in enumerate((1, 0.5, 2, 1)):
        left, right = stereo(disparity, seed=number)
        tree.png(f"Home/l_{number}.png", left)
        tree.png(f"Home/r_{number}.png", right)
        tree.exr(f"Home/d_{number}.exr", G=disparity * np.float32(factor))
    tree.remove("Home/r_3.png")
    assert sorted(frames(IRS(raw=tree.root))[0]) == [f"home/00000{number}" for number in range(4)]
    read, left_out = frames(IRS(raw=tree.root, check_right=True))
    assert list(read) == ["home/000000"]
    for number in (1, 2):
        assert "does not make the right view look like" in left_out[f"home/00000{number}"]
    assert "r_3.png is missing" in left_out["home/000003"]


def stereo(disparity, *, seed):
    """A left view of noise, and the right view in which all of it lies further left."""
    height, width = disparity.shape
    left = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    right = np.zeros_like(left)
    rows, columns = np.mgrid[:height, :width]
    places = columns - disparity.astype(int)
    seen = places >= 0
    right[rows[seen], places[seen]] = left[seen]
    return left, right
