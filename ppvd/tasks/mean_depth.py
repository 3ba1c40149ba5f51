"""The floor under every table: no model at all."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from ppvd.tasks.base import DepthTask


class MeanDepth(DepthTask):
    """Predicts the same depth everywhere; the alignment turns it into the image's mean.

    It has nothing to train: only ``test`` and ``validate`` make sense.

    Args:
        metrics: Scores of an evaluation; see ``DepthTask``.
    """

    def __init__(self, *, metrics: dict[str, Metric] | None = None) -> None:
        super().__init__(metrics=metrics)

    @property
    def divisor(self) -> int:
        """Any size will do."""
        return 1

    def predict_code(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Return zero everywhere."""
        return torch.zeros_like(image[:, :1])
