import numpy as np
import pytest
import scipy.io

from ppvd.data.errors import ShardError
from ppvd.data.sources.nyuv2 import NyuV2

SIZE = (480, 640)
SCENES = ["kitchen_0004", "office_0003", "kitchen_0004", "cafe_0001c"]


@pytest.fixture
def mat(tree):
    """Four frames in MATLAB's order of axes, and splits that count from 1."""
    h5py = pytest.importorskip("h5py")
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    pictures = [np.stack([rows % 256, columns % 256, 0 * rows + n], -1) for n in range(4)]
    raw = np.full((4, *SIZE), 3, np.float32)
    raw[:, :10] = 0
    raw[1, 20, 30] = 9.999
    with h5py.File(tree.path("nyu_depth_v2_labeled.mat"), "w") as file:
        file["images"] = np.stack([p.T for p in pictures]).astype(np.uint8)
        file["rawDepths"] = raw.swapaxes(1, 2)
        file["depths"] = np.full((4, *SIZE), 2, np.float32).swapaxes(1, 2)
        codes = [np.array([[ord(letter)] for letter in scene], np.uint16) for scene in SCENES]
        for number, code in enumerate(codes):
            file[f"#refs#/{number}"] = code
        references = [file[f"#refs#/{number}"].ref for number in range(4)]
        file.create_dataset("scenes", data=np.array([references], h5py.ref_dtype))
    splits = {"testNdxs": np.array([[2], [4]]), "trainNdxs": np.array([[1], [3]])}
    scipy.io.savemat(tree.path("splits.mat"), splits)
    return tree


def test_the_authors_file_gives_its_split_the_right_way_round(mat, frames, holds):
    source = NyuV2(raw=mat.root)
    found, left_out = frames(source)
    assert not left_out
    assert list(found) == ["office_0003/000002", "cafe_0001c/000004"]
    frame = found["office_0003/000002"]
    np.testing.assert_array_equal(frame.image[20, 30], [20, 30, 1])
    assert frame.depth.shape == SIZE
    assert frame.depth[20, 30] == np.float32(9.999)
    np.testing.assert_array_equal(frame.depth[10:20], np.full((10, 640), 3, np.float32))
    assert not frame.valid[:10].any()
    assert not frame.sky.any()
    assert source.notes() == {"layout": "nyu_depth_v2_labeled.mat"}
    assert holds(source).num_samples == 2
    train, _ = frames(NyuV2(raw=mat.root, split="train"))
    assert set(train) == {"kitchen_0004/000001", "kitchen_0004/000003"}
    filled, _ = frames(NyuV2(raw=mat.root, filled=True))
    assert (filled["office_0003/000002"].depth == 2).all()


def test_the_authors_files_that_are_missing_or_broken_are_named(mat):
    mat.bytes("splits.mat", b"not a mat")
    with pytest.raises(ShardError, match=r"splits\.mat must be the authors' list"):
        len(NyuV2(raw=mat.root))
    scipy.io.savemat(mat.path("splits.mat"), {"testNdxs": np.array([[2], [5]])})
    with pytest.raises(ShardError, match="must hold frame 5, got 4 frames"):
        len(NyuV2(raw=mat.root))
    mat.truncate("nyu_depth_v2_labeled.mat")
    with pytest.raises(ShardError, match=r"labeled\.mat must be a whole HDF5 file"):
        len(NyuV2(raw=mat.root))


def export(tree, number, *, codes=3000, folder="test/kitchen_0004", rgb="rgb_{:04d}.png", truth=""):
    tree.picture(f"{folder}/{rgb.format(number)}", SIZE)
    digits = rgb.format(number).split("_")[1].split(".")[0]
    codes = np.full(SIZE, codes, np.uint16)
    tree.png(f"{folder}/{truth}depth_{digits}.png", codes)
    tree.png(f"{folder}/filled_{digits}.png", np.full(SIZE, 2000, np.uint16))


def test_exported_pictures_are_in_millimetres_and_zero_is_a_hole(tree, frames, holds, states):
    codes = np.full(SIZE, 3000)
    codes[0, :5] = [0, 99, 9999, 10000, 65535]
    export(tree, 1, codes=codes)
    export(tree, 2, folder="train/kitchen_0004")
    source = NyuV2(raw=tree.root)
    found, left_out = frames(source)
    assert not left_out
    frame = found["kitchen_0004/000001"]
    assert len(found) == 1
    assert states(frame)[0, :6].tolist() == [0, 1, 1, 1, 1, 1]
    np.testing.assert_array_equal(frame.depth[0, :5], np.float32([0, 0.099, 9.999, 10, 65.535]))
    assert frame.depth[1, 0] == 3
    assert (frames(NyuV2(raw=tree.root, filled=True))[0]["kitchen_0004/000001"].depth == 2).all()
    assert source.notes() == {"layout": "exported"}
    assert holds(source).num_samples == 1


def test_the_export_with_synchronised_names_is_understood(tree, frames):
    export(tree, 45, folder="bathroom", rgb="rgb_{:05d}.jpg", truth="sync_")
    found, _ = frames(NyuV2(raw=tree.root))
    assert found["bathroom/000045"].depth[0, 0] == 3


def test_what_is_missing_or_of_another_size_is_left_out(tree, frames):
    export(tree, 1)
    tree.remove("test/kitchen_0004/depth_0001.png")
    tree.picture("test/kitchen_0004/rgb_0002.png", (240, 320))
    tree.png("test/kitchen_0004/depth_0002.png", np.full((240, 320), 3000, np.uint16))
    found, left_out = frames(NyuV2(raw=tree.root))
    assert not found
    assert "depth file is missing" in left_out["kitchen_0004/000001"]
    assert "must be of size (480, 640)" in left_out["kitchen_0004/000002"]
