"""A sample's truth and prediction as coloured point clouds for TensorBoard."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ppvd.callbacks.panel import PanelSample
from ppvd.geometry import PointCloud, cloud_from_depth

FLYING_COLOUR = (255.0, 0.0, 0.0)  # red


def truth_cloud(sample: PanelSample, *, max_points: int) -> PointCloud:
    """Return the true points in the image's colours, evenly thinned to ``max_points``."""
    return _cloud(sample, sample.depth, sample.image, max_points)


def prediction_cloud(sample: PanelSample, *, max_points: int) -> PointCloud:
    """Return the predicted points where there is truth; those that fly are red."""
    red = torch.tensor(FLYING_COLOUR).view(1, 3, 1, 1) / 255.0
    colours = torch.where(sample.flying(), red, sample.image)
    return _cloud(sample, sample.prediction, colours, max_points)


def thinning(height: int, width: int, *, max_points: int) -> Tensor:
    """Return the pixels of a regular grid that has at most ``max_points``, bool, ``(1, H, W)``."""
    stride = 1
    while math.ceil(height / stride) * math.ceil(width / stride) > max_points:
        stride += 1
    keep = torch.zeros(1, height, width, dtype=torch.bool)
    keep[:, ::stride, ::stride] = True
    return keep


def add_cloud(writer: SummaryWriter, tag: str, cloud: PointCloud, *, step: int) -> None:
    """Write a cloud for TensorBoard, whose camera has y up and looks along -z."""
    points = torch.from_numpy(cloud.points * np.array([1.0, -1.0, -1.0], np.float32))[None]
    colours = torch.from_numpy(cloud.colours)[None]
    # A point covers about the gap to its neighbour at the median distance, whatever the scene.
    span = float(np.median(cloud.points[:, 2])) / math.sqrt(len(cloud)) if len(cloud) else 1.0
    config = {"material": {"cls": "PointsMaterial", "size": span}}
    writer.add_mesh(tag, points, colors=colours, config_dict=config, global_step=step)


def _cloud(sample: PanelSample, depth: Tensor, colours: Tensor, max_points: int) -> PointCloud:
    height, width = depth.shape[-2:]
    keep = sample.valid[0] & thinning(height, width, max_points=max_points)
    return cloud_from_depth(depth[0], colours[0], sample.intrinsics[0], keep)
