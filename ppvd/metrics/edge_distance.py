"""Accuracy and completeness of depth edges in the image plane."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ppvd.geometry import Alignment, DepthCanny
from ppvd.metrics.boundaries import broken_images
from ppvd.metrics.depth_errors import frame_keys
from ppvd.metrics.means import ImageMeans

_LEAST_SQUARES = Alignment()
_CANNY = DepthCanny()


def edge_distances(predicted: Tensor, true: Tensor, *, cap_px: float = 10.0) -> dict[str, Tensor]:
    """Return how far predicted edges lie from true ones, and true ones from predicted ones.

    ``edge_acc`` is the mean distance from a predicted edge to the nearest true one, over the
    predicted edges nearer than ``cap_px``; ``edge_comp`` that from a true edge to the nearest
    predicted one, over all (iBims-1, as the SYNS benchmark computes it). Without a predicted edge
    (for ``edge_acc``: near a true one) both are the cap.

    Args:
        predicted: Edge pixels of the prediction, bool, ``(B, 1, H, W)``.
        true: Edge pixels of the truth, same shape.
        cap_px: Predicted edges farther than this belong to no true one.

    Returns:
        Pixels, float64 ``(B,)``; nan for images without a true edge.
    """
    rows = [
        _distances(p, t, cap_px)
        for p, t in zip(predicted[:, 0].cpu().numpy(), true[:, 0].cpu().numpy(), strict=True)
    ]
    table = torch.tensor(rows, dtype=torch.double, device=true.device).reshape(-1, 2)
    return dict(zip(EdgeDistance.NAMES, table.unbind(dim=1), strict=True))


def _distances(
    predicted: NDArray[np.bool_], true: NDArray[np.bool_], cap_px: float
) -> tuple[float, float]:
    if not true.any():
        return float("nan"), float("nan")
    to_true = distance_transform_edt(~true)
    near = predicted & (to_true < cap_px)
    if not near.any():
        return cap_px, cap_px
    to_predicted = distance_transform_edt(~predicted)
    return float(to_true[near].mean()), float(to_predicted[true].mean())


class EdgeDistance(ImageMeans):
    """``edge_distances`` between Canny edges of aligned and true depth, averaged over images.

    ``compute()`` returns ``edge_acc`` and ``edge_comp`` in pixels, and ``num_without_edges``, the
    images left out because they have no true edge. SYNS finds edges by scikit-image's Canny on
    smoothed log depth, here the edges are those of ``EdgeChamfer``: the two see the same.

    Args:
        alignment: How each prediction is carried to metres.
        canny: How edges are found, in the truth and in the prediction.
        cap_px: As in ``edge_distances``.
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``cap_px`` is not positive.
    """

    NAMES = ("edge_acc", "edge_comp")

    def __init__(
        self,
        alignment: Alignment = _LEAST_SQUARES,
        *,
        canny: DepthCanny = _CANNY,
        cap_px: float = 10.0,
        table: bool = False,
    ) -> None:
        if not cap_px > 0.0:
            raise ValueError(f"cap_px must be positive pixels, got {cap_px}")
        super().__init__(
            self.NAMES,
            skipped_name="num_without_edges",
            identity=f"{alignment} {canny} {cap_px}",
            table=table,
        )
        self.alignment = alignment
        self.canny = canny
        self.cap_px = cap_px

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips; arguments as in ``DepthErrors.update``."""
        aligned = self.alignment(prediction, depth, valid)
        aligned, depth, valid = (maps.flatten(0, -4) for maps in (aligned, depth, valid))
        broken = broken_images(aligned, valid)
        sound = aligned.masked_fill(broken[:, None, None, None], 1.0)
        true = self.canny(depth, valid) & valid
        found = edge_distances(self.canny(sound, valid) & valid, true, cap_px=self.cap_px)
        values = {name: value.masked_fill(broken, torch.nan) for name, value in found.items()}
        counts = true.flatten(1).any(dim=1)
        self.add(values, counts, key=frame_keys(key, prediction))
