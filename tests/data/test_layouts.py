import pytest

from ppvd.data.errors import ShardError
from ppvd.data.layouts import LAYOUTS, recognise
from ppvd.data.sources import DOWNLOADS

# A few names of each set, as its download unpacks.
NAMES = {
    "Hypersim": ["ai_001_001/images/scene_cam_00_final_hdf5/frame.0000.color.hdf5"],
    "UrbanSyn": ["rgb/rgb_0001.png", "depth/depth_0001.exr", "ss/ss_0001.png"],
    "UnrealStereo4K": ["00000/Image0/00000.png", "00000/Disp0/00000.npy"],
    "VKITTI2": [
        "vkitti_2.0.3_rgb/Scene01/15-deg-left/frames/rgb/Camera_0/rgb_00000.jpg",
        "vkitti_2.0.3_depth/Scene01/15-deg-left/frames/depth/Camera_0/depth_00000.png",
    ],
    "TartanAir": [
        "ocean/ocean/Hard/P001/image_left/000000_left.png",
        "ocean/ocean/Hard/P001/depth_left/000000_left_depth.npy",
    ],
    "IRS": ["Home/RoyalRoom/l_1.png", "Home/RoyalRoom/d_1.exr"],
    "PointOdyssey": ["train/ani/rgbs/rgb_00000.jpg", "train/ani/depths/depth_00000.png"],
    "NyuV2": ["test/kitchen_0004/rgb_0001.png", "test/kitchen_0004/filled_0001.png"],
    "NyuV2Videos": ["cafe/cafe_0001a/r-1294439300.6-1.ppm", "cafe/cafe_0001a/d-1294439300.6-1.pgm"],
    "Kitti": [
        "2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png",
        "val/2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/0000000069.png",
    ],
    "Eth3d": [
        "rgb/office/images/dslr_images/DSC_0219.JPG",
        "depth/office_dslr_depth/office/ground_truth_depth/dslr_images/DSC_0219.JPG",
    ],
    "ScanNet": ["scans/scene0707_00/color/0.jpg", "scans/scene0707_00/depth/0.png"],
    "Diode": ["val/indoors/scene_00021/scan_00189/00021_00189_indoors_200_010.png"],
    "Bonn": ["rgbd_bonn_balloon2/rgb/15.1.png", "rgbd_bonn_balloon2/depth/15.2.png"],
    "Sintel": ["training/final/alley_2/frame_0001.png", "training/depth/alley_2/frame_0001.dpt"],
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_set_is_told_from_all_others(tmp_path, name):
    for file in NAMES[name]:
        (tmp_path / "x" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / file).touch()
    assert recognise(tmp_path) == [name]
    assert recognise(tmp_path / "x") == [name]


def test_every_reader_of_a_download_has_a_layout():
    assert LAYOUTS.keys() == DOWNLOADS.keys() == NAMES.keys()


@pytest.mark.parametrize(
    ("folder", "file", "name"),
    [
        ("nyu", "nyu_depth_v2_labeled.mat", "NyuV2"),
        ("scene0707_00", "scene0707_00.sens", "ScanNet"),
        ("scene0707_00", "color/0.jpg", "ScanNet"),
        ("rgbd_bonn_balloon", "depth/15.2.png", "Bonn"),
        ("P001", "image_left/000000_left.png", "TartanAir"),
    ],
)
def test_the_name_of_the_folder_itself_counts(tmp_path, folder, file, name):
    (tmp_path / folder / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / file).touch()
    assert recognise(tmp_path / folder) == [name]


def test_nothing_known_is_nothing_and_no_folder_is_a_mistake(tmp_path):
    (tmp_path / "photo.jpg").touch()
    assert recognise(tmp_path) == []
    with pytest.raises(ShardError, match="must be the folder of the downloaded data"):
        recognise(tmp_path / "photo.jpg")
