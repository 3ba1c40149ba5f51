"""The common ground of all readers of downloaded data sets.

A reader is a subclass of `RawSource` in ``ppvd/data/sources``: it lists the frames of a folder and
reads one of them. Finding files, decoding them, the three states of a pixel, conventions of poses,
and cutting videos into segments are here.
"""

from ppvd.data.raw.depth import (
    SKY_BEYOND_M,
    DepthMap,
    depth_from_disparity,
    depth_map,
    planar_depth,
)
from ppvd.data.raw.files import (
    Picture,
    as_map,
    read_array,
    read_bytes,
    read_depth_png,
    read_exr,
    read_hdf5,
    read_picture,
    read_table,
)
from ppvd.data.raw.pose import (
    FROM_OPENGL,
    camera_to_world,
    pinhole,
    rotation_from_quaternion,
    scaled,
    world_to_camera,
)
from ppvd.data.raw.segments import cut, jumps, runs
from ppvd.data.raw.shot import NO_FILE, Entry, Shot, Taken, pair
from ppvd.data.raw.source import RawSource
from ppvd.data.raw.stereo import views_agree
from ppvd.data.raw.tree import folders_holding, natural, numbered, revision, sole_folder
from ppvd.data.raw.video import VideoSource

__all__ = [
    "FROM_OPENGL",
    "NO_FILE",
    "SKY_BEYOND_M",
    "DepthMap",
    "Entry",
    "Picture",
    "RawSource",
    "Shot",
    "Taken",
    "VideoSource",
    "as_map",
    "camera_to_world",
    "cut",
    "depth_from_disparity",
    "depth_map",
    "folders_holding",
    "jumps",
    "natural",
    "numbered",
    "pair",
    "pinhole",
    "planar_depth",
    "read_array",
    "read_bytes",
    "read_depth_png",
    "read_exr",
    "read_hdf5",
    "read_picture",
    "read_table",
    "revision",
    "rotation_from_quaternion",
    "runs",
    "scaled",
    "sole_folder",
    "views_agree",
    "world_to_camera",
]
