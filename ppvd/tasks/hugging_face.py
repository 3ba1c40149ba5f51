"""Any model for depth estimation of the Hugging Face hub, to be scored beside ours."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric

from ppvd.protocols import METRES, Unit
from ppvd.tasks.base import DepthTask

# Models whose configuration does not say it, but which predict metres.
METRIC_TYPES = ("zoedepth", "depth_pro", "glpn")


class TransformersDepth(DepthTask):
    """A model of the library ``transformers``, with its own preprocessing.

    Args:
        repo: Name on the hub, or a folder.
        unit_name: What it predicts. None: metres if its configuration says so, as metric
            Depth Anything, ZoeDepth, GLPN and Depth Pro do; else disparity up to scale and shift.
        metrics: Scores of an evaluation without protocol; see ``DepthTask``.

    Raises:
        ValueError: If the library is missing, or the model cannot be read.
    """

    def __init__(
        self,
        repo: str,
        *,
        unit_name: Literal["depth", "disparity", "log", "metres"] | None = None,
        metrics: dict[str, Metric] | None = None,
    ) -> None:
        super().__init__(metrics=metrics)
        self.repo = repo
        self.net, self._processor = _load(repo)
        self._unit = _unit(self.net.config, unit_name)

    @property
    def unit(self) -> Unit:
        """What the model predicts."""
        return self._unit

    @property
    def divisor(self) -> int:
        """Any size will do: the model's own preprocessing resizes."""
        return 1

    @torch.no_grad()
    def predict_code(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Predict, and bring the maps to the size of the images: bilinearly, or as demanded."""
        pictures = [(255 * one).round().byte().movedim(0, -1).cpu().numpy() for one in image]
        inputs = self._processor(images=pictures, return_tensors="pt").to(image.device)
        maps: Tensor = self.net(**inputs).predicted_depth.float()[:, None]
        size = image.shape[-2], image.shape[-1]
        if self._resize == "nearest":
            return F.interpolate(maps, size, mode="nearest")
        return F.interpolate(maps, size, mode="bilinear", align_corners=False)


def _load(repo: str) -> tuple[Any, Any]:
    try:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation
    except ImportError as error:
        raise ValueError(
            f"model {repo} needs the library transformers: pip install 'ppvd[transformers]'"
        ) from error
    try:
        net = AutoModelForDepthEstimation.from_pretrained(repo)
        processor = AutoImageProcessor.from_pretrained(repo)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"model {repo} must be one for depth estimation: {reason}") from error
    return net.eval().requires_grad_(False), processor


def _unit(config: Any, name: str | None) -> Unit:  # noqa: ANN401 - theirs
    if name is None:
        kind = getattr(config, "depth_estimation_type", None)
        metric = kind == "metric" or (kind is None and config.model_type in METRIC_TYPES)
        name = "metres" if metric else "disparity"
    return METRES if name == "metres" else Unit(space=name)  # type: ignore[arg-type]
