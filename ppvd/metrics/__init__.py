"""Metrics of depth as ``torchmetrics.Metric``: exact means over images."""

from ppvd.metrics.depth_errors import DepthErrors, depth_errors
from ppvd.metrics.edge_chamfer import EdgeChamfer
from ppvd.metrics.means import ImageMeans

__all__ = ["DepthErrors", "EdgeChamfer", "ImageMeans", "depth_errors"]
