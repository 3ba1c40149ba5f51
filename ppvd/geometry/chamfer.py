"""Chamfer distance between point clouds near depth edges (paper Table VI), and flying points."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from ppvd.geometry.camera import unproject
from ppvd.geometry.edges import dilate


@dataclass(frozen=True, slots=True)
class Chamfer:
    """Mean nearest-neighbour distances between two clouds, metres; nan where a cloud is empty.

    Attributes:
        acc: From predicted points to the truth: what flying pixels raise.
        comp: From true points to the prediction: what is missing.
    """

    acc: float
    comp: float

    @property
    def mean(self) -> float:
        """The Chamfer distance, ``(acc + comp) / 2``."""
        return (self.acc + self.comp) / 2.0


def edge_chamfer(
    prediction: Tensor,
    depth: Tensor,
    near_edge: Tensor,
    valid: Tensor,
    intrinsics: Tensor,
    *,
    target: Literal["near", "full"] = "near",
    unit: Literal["m", "log"] = "m",
    squared: bool = False,
) -> list[Chamfer]:
    """Compare predicted and true points near edges, image by image, on the CPU.

    Distances are Euclidean, and by default unsquared, in metres.

    Args:
        prediction: Aligned depth in metres, ``(B, 1, H, W)``.
        depth: True depth in metres, same shape.
        near_edge: Pixels whose points are compared, bool, same shape.
        valid: True where ``depth`` is a measurement, bool, same shape.
        intrinsics: Pinhole matrices in pixels, ``(B, 3, 3)``.
        target: Neighbours are sought among the other cloud's points near edges, or among all
            its valid points.
        unit: Points where they are, or at ``log(depth + 1)`` along the same rays.
        squared: Whether the mean is of squared distances.

    Returns:
        One ``Chamfer`` an image; nan if no valid pixel is near an edge or a prediction there is
        not finite.

    Raises:
        ValueError: If ``target`` or ``unit`` is unknown.
    """
    if target not in ("near", "full"):
        raise ValueError(f"target must be near or full, got {target!r}")
    if unit not in ("m", "log"):
        raise ValueError(f"unit must be m or log, got {unit!r}")
    near = near_edge & valid
    sought = near if target == "near" else valid
    maps = [prediction.double(), depth.double()]
    maps = [one.log1p() for one in maps] if unit == "log" else maps
    predicted, true = (unproject(one, intrinsics.double()).detach().cpu().numpy() for one in maps)
    masks = zip(near[:, 0].cpu().numpy(), sought[:, 0].cpu().numpy(), strict=True)
    return [
        Chamfer(
            acc=mean_distance(p[:, query].T, t[:, aim].T, squared=squared),
            comp=mean_distance(t[:, query].T, p[:, aim].T, squared=squared),
        )
        for p, t, (query, aim) in zip(predicted, true, masks, strict=True)
    ]


def mean_distance(points: NDArray[Any], target: NDArray[Any], *, squared: bool = False) -> float:
    """Return the mean distance from ``points`` (N, 3) to their nearest in ``target`` (M, 3).

    With ``squared``, of the squares. Nan if either is empty or holds a value that is not finite.
    """
    distance = nearest_distances(points, target)
    distance = distance**2 if squared else distance
    return float(distance.mean()) if len(distance) else math.nan


def nearest_distances(points: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """Return the distance from each of ``points`` (N, 3) to its nearest in ``target`` (M, 3).

    Nan throughout if ``target`` is empty or either holds a value that is not finite.
    """
    if not (len(target) and np.isfinite(points).all() and np.isfinite(target).all()):
        return np.full(len(points), np.nan)
    # The unbalanced tree halves the whole time: each tree is built once and queried once.
    tree = cKDTree(target, balanced_tree=False, compact_nodes=False)
    distance, _ = tree.query(points)
    return np.asarray(distance, np.float64)


def flying_points(
    prediction: Tensor,
    depth: Tensor,
    edges: Tensor,
    valid: Tensor,
    *,
    radius: int = 1,
    tolerance: float = 0.05,
) -> Tensor:
    """Tell which predicted points hang in the air between the two sides of a true depth edge.

    A point flies if it lies, along its pixel's ray, between the nearest and the farthest true
    surface around it and farther from every true surface around it than ``tolerance``. The
    measure is relative, so it needs no intrinsics and means the same near and far; a wrong but
    sharp depth in front of or behind both sides is an error, not a flying point.

    Args:
        prediction: Aligned depth in metres, ``(B, 1, H, W)``.
        depth: True depth in metres, same shape, positive where valid.
        edges: True depth edges, bool, same shape.
        valid: True where ``depth`` is a measurement, bool, same shape.
        radius: Pixels around an edge, and around a point, that count (a square).
        tolerance: Relative distance, ``max(a, b) / min(a, b) - 1``, that still counts as on a
            surface. 5 % is ours.

    Returns:
        Bool, shape of ``prediction``; false away from edges.

    Raises:
        ValueError: If ``tolerance`` is not positive or ``radius`` not at least 1 pixel.
    """
    if not tolerance > 0.0:
        raise ValueError(f"tolerance must be positive, got {tolerance}")
    if radius < 1:
        raise ValueError(f"radius must be at least 1 pixel to see both sides, got {radius}")
    truth = depth.float().where(valid, 1.0).log().masked_fill(~valid, torch.nan)
    around = _windows(truth, radius)  # (B, K, H, W)
    gap = prediction.float().log() - around
    band = math.log1p(tolerance)
    # Comparisons with the nan of an invalid neighbour are false.
    behind_one, before_one = (gap > band).any(dim=1), (gap < -band).any(dim=1)
    on_one = (gap.abs() <= band).any(dim=1)
    flying = (behind_one & before_one & ~on_one)[:, None]
    return flying & dilate(edges, radius)


def _windows(values: Tensor, radius: int) -> Tensor:
    """Gather the square neighbourhood of each pixel, ``(B, K, H, W)``; nan outside the image."""
    height, width = values.shape[-2:]
    padded = F.pad(values, (radius,) * 4, value=torch.nan)
    side = range(2 * radius + 1)
    shifted = [padded[..., i : i + height, j : j + width] for i in side for j in side]
    return torch.cat(shifted, dim=1)
