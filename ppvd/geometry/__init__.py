"""Pure functions on depth: codes, alignment, cameras, edges, point clouds, pictures."""

from ppvd.geometry.align import Alignment
from ppvd.geometry.camera import (
    crop_intrinsics,
    flip_intrinsics,
    intrinsics_from_fov,
    project,
    scale_intrinsics,
    unproject,
)
from ppvd.geometry.chain import WindowChain
from ppvd.geometry.chamfer import (
    Chamfer,
    edge_chamfer,
    flying_points,
    mean_distance,
    nearest_distances,
)
from ppvd.geometry.codec import DepthCodec, DepthRange, DisparityCodec, LogDepthCodec
from ppvd.geometry.colour import colourise
from ppvd.geometry.edges import DepthCanny, dilate
from ppvd.geometry.enlarge import enlarge_depth
from ppvd.geometry.fits import AffineFit, fit_affine, fit_scale
from ppvd.geometry.pointcloud import PointCloud, cloud_from_depth, write_ply
from ppvd.geometry.presets import (
    cut3r_alignment,
    depthcrafter_alignment,
    marigold_alignment,
    midas_alignment,
    moge_alignment,
    no_alignment,
    ppd_alignment,
    vda_alignment,
)
from ppvd.geometry.quantiles import masked_quantiles
from ppvd.geometry.reproject import splat_depth
from ppvd.geometry.size import working_size

__all__ = [
    "AffineFit",
    "Alignment",
    "Chamfer",
    "DepthCanny",
    "DepthCodec",
    "DepthRange",
    "DisparityCodec",
    "LogDepthCodec",
    "PointCloud",
    "WindowChain",
    "cloud_from_depth",
    "colourise",
    "crop_intrinsics",
    "cut3r_alignment",
    "depthcrafter_alignment",
    "dilate",
    "edge_chamfer",
    "enlarge_depth",
    "fit_affine",
    "fit_scale",
    "flip_intrinsics",
    "flying_points",
    "intrinsics_from_fov",
    "marigold_alignment",
    "masked_quantiles",
    "mean_distance",
    "midas_alignment",
    "moge_alignment",
    "nearest_distances",
    "no_alignment",
    "ppd_alignment",
    "project",
    "scale_intrinsics",
    "splat_depth",
    "unproject",
    "vda_alignment",
    "working_size",
    "write_ply",
]
