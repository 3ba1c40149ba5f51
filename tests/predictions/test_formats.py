import cv2
import numpy as np
import pytest

from ppvd.predictions import (
    DepthAnything3Files,
    DepthCrafterFiles,
    ExrFiles,
    MarigoldFiles,
    MoGeFiles,
    NpzFiles,
    OwnFiles,
    Png16Files,
    VideoDepthAnythingFiles,
    own_prediction,
)
from ppvd.protocols import LOG_CODE, METRES, Box, Unit

IMAGE, VIDEO = "set/room/000007", "set/room-003"
MAP = np.arange(12, dtype=np.float32).reshape(3, 4) + 1
CLIP = np.stack([MAP, MAP + 20, MAP + 40])


def put(folder, name, write):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)


def read(files, key):
    return files.read(files.index().find(key)).values


def exr(path, values):
    library = pytest.importorskip("OpenEXR")
    header = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage}
    library.File(header, {"Y": values}).write(str(path))


def test_marigold_is_affine_depth_in_arrays(tmp_path):
    put(tmp_path, "room/pred_0007.npy", lambda p: np.save(p, MAP))
    files = MarigoldFiles(folder=tmp_path)
    assert np.array_equal(read(files, IMAGE), MAP[None])
    assert files.unit == Unit(space="depth")


def test_moge_is_named_by_the_folder_and_masked_pixels_are_far(tmp_path):
    masked = MAP.copy()
    masked[0, 0] = np.inf
    put(tmp_path, "room/rgb_0007/depth.exr", lambda p: exr(p, masked))
    put(tmp_path, "room/rgb_0007/points.exr", lambda p: p.write_bytes(b""))
    files = MoGeFiles(folder=tmp_path)
    saved = files.read(files.index().find(IMAGE))
    assert saved.values[0, 0, 0] == 12
    assert np.array_equal(saved.values[0, 1:], MAP[1:])
    assert saved.missing == pytest.approx(1 / 12)


def test_video_depth_anything_is_disparity_whole_or_by_frame(tmp_path):
    put(tmp_path, "a/room_depths.npz", lambda p: np.savez(p, depths=CLIP))
    whole = VideoDepthAnythingFiles(folder=tmp_path / "a")
    assert np.array_equal(read(whole, VIDEO), CLIP)
    assert whole.unit == Unit(space="disparity")
    for number, one in enumerate(CLIP):
        put(tmp_path, f"b/room/{number}.npy", lambda p, one=one: np.save(p, one))
    assert np.array_equal(read(VideoDepthAnythingFiles(folder=tmp_path / "b"), VIDEO), CLIP)


def test_depth_crafter_calls_its_disparity_depth(tmp_path):
    put(tmp_path, "room.npz", lambda p: np.savez(p, depth=CLIP))
    files = DepthCrafterFiles(folder=tmp_path)
    assert np.array_equal(read(files, VIDEO), CLIP)
    assert files.unit.space == "disparity"


def test_depth_anything_3_is_named_by_the_folder_above_its_exports(tmp_path):
    name = "room/exports/mini_npz/results.npz"
    put(tmp_path, name, lambda p: np.savez(p, depth=CLIP, conf=CLIP))
    files = DepthAnything3Files(folder=tmp_path)
    assert np.array_equal(read(files, VIDEO), CLIP)
    assert files.unit.space == "depth"


MARIGOLD, VDA, CRAFTER, DA3 = (
    (MarigoldFiles, np.save),
    (VideoDepthAnythingFiles, np.save),
    (DepthCrafterFiles, lambda path, values: np.savez_compressed(path, depth=values)),
    (DepthAnything3Files, lambda path, values: np.savez_compressed(path, depth=values)),
)


@pytest.mark.parametrize(
    ("made_by", "file", "key"),
    [  # As the programs' own scripts for these data sets name their files.
        (MARIGOLD, "test/kitchen_0004/pred_0001.npy", "nyuv2/kitchen_0004/000001"),
        (MARIGOLD, "d/2011_09_26_drive_0002_sync/image_02/data/pred_0000000069.npy",
         "kitti/2011_09_26_drive_0002_sync/000069"),
        (MARIGOLD, "rgb/courtyard/images/dslr_images/pred_0286.npy", "eth3d/courtyard/000286"),
        (MARIGOLD, "scene0707_00/color/pred_000010.npy", "scannet/scene0707_00/000010"),
        (MARIGOLD, "indoors/scene_00021/scan_00189/pred_00021_00189_indoors_200_010.npy",
         "diode/scene_00021/scan_00189/200010"),
        (VDA, "scannet/scene0707_00/color/10.npy", "scannet/scene0707_00-003"),
        (VDA, "bonn/rgbd_bonn_balloon2/rgb/1548266469.01.npy", "bonn/rgbd_bonn_balloon2-003"),
        (CRAFTER, "results_bonn/bonn/rgbd_bonn_balloon2_rgb_left.npz",
         "bonn/rgbd_bonn_balloon2-003"),
        (DA3, "model_results/scannet/scene0707_00/unposed/exports/mini_npz/results.npz",
         "scannet/scene0707_00-003"),
        (DA3, "scene0707_00/exports/npz/results.npz", "scannet/scene0707_00-003"),
    ],
)  # fmt: skip
def test_files_are_found_where_the_programs_own_scripts_put_them(tmp_path, made_by, file, key):
    kind, save = made_by
    values = MAP if file.endswith(".npy") else CLIP
    put(tmp_path, file, lambda path: save(path, values))
    beside = {VDA: "scannet/other/color/10.npy", CRAFTER: "results_bonn/bonn/other_rgb_left.npz"}
    if made_by in beside:
        put(tmp_path, beside[made_by], lambda path: save(path, -values))
    if made_by is DA3:  # What its benchmark writes beside; it is no prediction.
        put(tmp_path, "scene0707_00/unposed/exports/gt_meta.npz", lambda p: np.savez(p, x=MAP))
    assert np.array_equal(read(kind(folder=tmp_path), key), np.reshape(values, (-1, *MAP.shape)))


@pytest.mark.parametrize("name", ["depth", "disparity", "log", "metres"])
def test_the_array_s_name_is_the_unit_and_may_be_overruled(tmp_path, name):
    put(tmp_path, "room/000007.npz", lambda p: np.savez(p, **{name: MAP}))
    files = NpzFiles(folder=tmp_path)
    assert np.array_equal(read(files, IMAGE), MAP[None])
    assert files.unit == (METRES if name == "metres" else Unit(space=name))
    overruled = NpzFiles(folder=tmp_path, unit_name="disparity")
    assert overruled.unit == Unit(space="disparity")


def test_steps_of_a_picture_are_metres_and_zero_is_no_prediction(tmp_path):
    steps = np.array([[0, 1000], [2500, 65535]], np.uint16)
    put(tmp_path, "room/7.png", lambda p: cv2.imwrite(str(p), steps))
    files = Png16Files(folder=tmp_path)
    assert read(files, IMAGE) == pytest.approx(np.array([[[65.535, 1.0], [2.5, 65.535]]]))
    assert files.unit == METRES
    assert read(Png16Files(folder=tmp_path, per_metre=500), IMAGE)[0, 0, 1] == 2.0
    put(tmp_path, "room/8.png", lambda p: cv2.imwrite(str(p), steps.astype(np.uint8)))
    with pytest.raises(ValueError, match="must be a grey PNG of 16 bits, got uint8"):
        read(files, "set/room/000008")


def test_exr_has_one_channel(tmp_path):
    put(tmp_path, "room/7.exr", lambda p: exr(p, MAP))
    assert np.array_equal(read(ExrFiles(folder=tmp_path), IMAGE), MAP[None])


def test_our_own_come_back_with_what_they_show(tmp_path):
    content = own_prediction(CLIP, unit=LOG_CODE, frame=(9, 8), box=Box(1, 2, 3, 4))
    put(tmp_path, f"{VIDEO}.npz", lambda p: p.write_bytes(content))
    files = OwnFiles(folder=tmp_path)
    saved = files.read(files.index().find(VIDEO))
    assert np.array_equal(saved.values, CLIP)
    assert (saved.frame, saved.box) == ((9, 8), Box(1, 2, 3, 4))
    assert files.unit == LOG_CODE


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must hold \*.npy, found none"):
        MarigoldFiles(folder=tmp_path).index()
    with pytest.raises(ValueError, match="folder of predictions must exist"):
        MarigoldFiles(folder=tmp_path / "none").index()
    put(tmp_path, "room/7.npy", lambda p: p.write_bytes(b"\x93NUMPY\x01"))
    with pytest.raises(ValueError, match="must be a whole NumPy array"):
        read(MarigoldFiles(folder=tmp_path), IMAGE)
    put(tmp_path, "room/7.npy", lambda p: np.save(p, MAP[0]))
    with pytest.raises(ValueError, match=r"must hold maps \(H, W\) or \(T, H, W\), got \(4,\)"):
        read(MarigoldFiles(folder=tmp_path), IMAGE)
    put(tmp_path, "room_depths.npz", lambda p: np.savez(p, other=CLIP))
    with pytest.raises(ValueError, match="must hold depths, got other"):
        VideoDepthAnythingFiles(folder=tmp_path).values(tmp_path / "room_depths.npz")
