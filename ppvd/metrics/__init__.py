"""Metrics of depth as ``torchmetrics.Metric``: exact means over images."""

from ppvd.metrics.autoencoder import Autoencoder, ThroughAutoencoder, through_autoencoder
from ppvd.metrics.boundaries import boundary_f1, disc_boundary_f1
from ppvd.metrics.boundary_scores import BoundaryF1, DiscBoundaryF1
from ppvd.metrics.clips import ClipMeans
from ppvd.metrics.cloud_score import CloudScore, cloud_scores
from ppvd.metrics.depth_errors import DepthErrors, depth_errors
from ppvd.metrics.drift import Drift, SeamJump, scale_and_shift_drift, seam_jump
from ppvd.metrics.edge_chamfer import EdgeChamfer
from ppvd.metrics.edge_distance import EdgeDistance, edge_distances
from ppvd.metrics.flow_warping import FlowWarpingError, flow_warping_error
from ppvd.metrics.flying_pixels import FlyingPixels
from ppvd.metrics.means import ImageMeans
from ppvd.metrics.table import bootstrap_interval, decode_keys
from ppvd.metrics.temporal_alignment import TemporalAlignmentError, temporal_alignment_error
from ppvd.metrics.temporal_gradient import TemporalGradientError, temporal_gradient_error

__all__ = [
    "Autoencoder",
    "BoundaryF1",
    "ClipMeans",
    "CloudScore",
    "DepthErrors",
    "DiscBoundaryF1",
    "Drift",
    "EdgeChamfer",
    "EdgeDistance",
    "FlowWarpingError",
    "FlyingPixels",
    "ImageMeans",
    "SeamJump",
    "TemporalAlignmentError",
    "TemporalGradientError",
    "ThroughAutoencoder",
    "bootstrap_interval",
    "boundary_f1",
    "cloud_scores",
    "decode_keys",
    "depth_errors",
    "disc_boundary_f1",
    "edge_distances",
    "flow_warping_error",
    "scale_and_shift_drift",
    "seam_jump",
    "temporal_alignment_error",
    "temporal_gradient_error",
    "through_autoencoder",
]
