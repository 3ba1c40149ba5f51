"""The edge-aware Chamfer distance (paper Table VI)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ppvd.geometry import Alignment, DepthCanny, dilate, edge_chamfer
from ppvd.metrics.depth_errors import frame_keys
from ppvd.metrics.means import ImageMeans

_RELEASED_ALIGNMENT = Alignment()
_CANNY = DepthCanny()


class EdgeChamfer(ImageMeans):
    """Distance between predicted and true points near true depth edges, averaged over images.

    The paper defines it in one sentence (edges of the true depth by Canny, Chamfer distance
    near them) and its code is not released. Every choice is an argument here, and numbers are
    comparable only between equal arguments. ``compute()`` returns, in metres, ``acc``
    (prediction to truth: flying pixels), ``comp`` (truth to prediction), ``chamfer``, the mean
    of the two, and ``num_without_edges``, the number of images left out because no valid pixel
    is near an edge.

    The alignment is fitted on all valid pixels: fitted near edges it would hide what the metric
    looks for. The nearest neighbours are found on the CPU.

    Args:
        alignment: How each prediction is carried to metres.
        canny: How edges are found.
        dilation: Pixels around an edge, in a square, whose points are compared: the strongest
            choice of all. 1 is the narrowest band that holds both sides of an edge.
        target: Neighbours among the other cloud's points near edges, or among all of its
            points (5 to 19 % smaller distances).
        unit: ``"m"``, or ``"log"`` for points at ``log(depth + 1)``, where far edges weigh less.
        squared: Whether distances are squared before the mean.
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``dilation`` is negative, or ``target`` or ``unit`` unknown.
    """

    NAMES = ("chamfer", "acc", "comp")

    def __init__(
        self,
        alignment: Alignment = _RELEASED_ALIGNMENT,
        *,
        canny: DepthCanny = _CANNY,
        dilation: int = 1,
        target: Literal["near", "full"] = "near",
        unit: Literal["m", "log"] = "m",
        squared: bool = False,
        table: bool = False,
    ) -> None:
        if dilation < 0:
            raise ValueError(f"dilation must be at least 0 pixels, got {dilation}")
        if target not in ("near", "full"):
            raise ValueError(f"target must be near or full, got {target!r}")
        if unit not in ("m", "log"):
            raise ValueError(f"unit must be m or log, got {unit!r}")
        super().__init__(
            self.NAMES,
            skipped_name="num_without_edges",
            identity=f"{alignment} {canny} {dilation} {target} {unit} {squared}",
            table=table,
        )
        self.alignment = alignment
        self.canny = canny
        self.dilation = dilation
        self.target: Literal["near", "full"] = target
        self.unit: Literal["m", "log"] = unit
        self.squared = squared

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        intrinsics: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips: one alignment a clip, each frame an image.

        Args:
            prediction: Unaligned, affine in the alignment's space, ``(B, [T,] 1, H, W)``.
            depth: True depth in metres, same shape.
            valid: True where ``depth`` is a measurement, bool, same shape.
            intrinsics: Pinhole matrices in pixels of these maps, ``(B, [T,] 3, 3)``.
            key: Names of the images, or clips, for the table.
        """
        aligned = self.alignment(prediction, depth, valid)
        aligned, depth, valid = (maps.flatten(0, -4) for maps in (aligned, depth, valid))
        intrinsics = intrinsics.flatten(0, -3)
        near = dilate(self.canny(depth, valid), self.dilation) & valid
        results = edge_chamfer(
            aligned,
            depth,
            near,
            valid,
            intrinsics,
            target=self.target,
            unit=self.unit,
            squared=self.squared,
        )
        rows = [(one.mean, one.acc, one.comp) for one in results]
        table = torch.tensor(rows, dtype=torch.double, device=depth.device).reshape(-1, 3)
        values = dict(zip(self.NAMES, table.unbind(dim=1), strict=True))
        self.add(values, near.flatten(1).any(dim=1), key=frame_keys(key, prediction))
