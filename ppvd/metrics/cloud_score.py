"""Point-cloud scores: distances both ways, and the F-score at a threshold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ppvd.geometry import Alignment, nearest_distances, unproject
from ppvd.metrics.depth_errors import frame_keys
from ppvd.metrics.means import ImageMeans

_LEAST_SQUARES = Alignment()


def cloud_scores(
    points: NDArray[Any], target: NDArray[Any], *, threshold_m: float = 0.05
) -> dict[str, float]:
    """Return how well one cloud covers another (as Depth Anything 3 benchmarks it).

    ``acc`` is the mean distance from a point to the nearest of ``target``, ``comp`` that the other
    way, ``overall`` their mean, metres; ``precision`` and ``recall`` are the shares of distances
    below the threshold, ``fscore`` their harmonic mean.

    Args:
        points: Predicted, metres, ``(N, 3)``.
        target: True, ``(M, 3)``.
        threshold_m: 5 cm in Depth Anything 3, 10 cm in SYNS.

    Returns:
        All nan where a cloud is empty (theirs: infinitely far, F-score 0) or not finite.
    """
    there, back = nearest_distances(points, target), nearest_distances(target, points)
    if not len(there) or not len(back) or np.isnan(there[0] + back[0]):
        return dict.fromkeys(CloudScore.NAMES, float("nan"))
    acc, comp = float(there.mean()), float(back.mean())
    precision, recall = float((there < threshold_m).mean()), float((back < threshold_m).mean())
    fscore = 2.0 * precision * recall / max(precision + recall, np.finfo(float).tiny)
    return {
        "acc": acc,
        "comp": comp,
        "overall": (acc + comp) / 2.0,
        "precision": precision,
        "recall": recall,
        "fscore": fscore,
    }


class CloudScore(ImageMeans):
    """``cloud_scores`` of the points that aligned and true depth put into space.

    ``compute()`` returns the scores averaged over images, and ``num_without_truth``, the images
    left out because nothing in them is valid. The nearest neighbours are found on the CPU: a
    second or two for an image of 1024 x 768 (``stride`` thins it).

    Args:
        alignment: How each prediction is carried to metres.
        threshold_m: As in ``cloud_scores``.
        stride: Every n-th pixel of rows and columns takes part.
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``threshold_m`` is not positive or ``stride`` less than 1.
    """

    NAMES = ("acc", "comp", "overall", "precision", "recall", "fscore")

    def __init__(
        self,
        alignment: Alignment = _LEAST_SQUARES,
        *,
        threshold_m: float = 0.05,
        stride: int = 1,
        table: bool = False,
    ) -> None:
        if not threshold_m > 0.0:
            raise ValueError(f"threshold_m must be positive metres, got {threshold_m}")
        if stride < 1:
            raise ValueError(f"stride must be at least 1 pixel, got {stride}")
        super().__init__(
            self.NAMES,
            skipped_name="num_without_truth",
            identity=f"{alignment} {threshold_m} {stride}",
            table=table,
        )
        self.alignment = alignment
        self.threshold_m = threshold_m
        self.stride = stride

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        intrinsics: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips; arguments as in ``EdgeChamfer.update``."""
        aligned = self.alignment(prediction, depth, valid)
        aligned, depth, valid = (maps.flatten(0, -4) for maps in (aligned, depth, valid))
        rays = intrinsics.flatten(0, -3).double()
        thinned = (..., slice(None, None, self.stride), slice(None, None, self.stride))
        kept = valid[thinned][:, 0]
        clouds = [unproject(maps.double(), rays)[thinned] for maps in (aligned, depth)]
        scores = [
            cloud_scores(
                *(_points(cloud[i], kept[i]) for cloud in clouds), threshold_m=self.threshold_m
            )
            for i in range(len(kept))
        ]
        values = {
            name: kept.new_tensor([one[name] for one in scores], dtype=torch.double)
            for name in self.NAMES
        }
        self.add(values, kept.flatten(1).any(dim=1), key=frame_keys(key, prediction))


def _points(cloud: Tensor, kept: Tensor) -> NDArray[Any]:
    points: NDArray[Any] = cloud[:, kept].T.detach().cpu().numpy()
    return points
