"""Warping error along a given optical flow (OPW)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ppvd.geometry import Alignment
from ppvd.metrics.clips import ClipMeans

# How quickly a pixel whose colour changes along the flow loses weight.
COLOUR_DECAY = 50.0
_LEAST_SQUARES = Alignment()


def flow_warping_error(depth: Tensor, image: Tensor, flow: Tensor) -> Tensor:
    """Return the mean change of depth along the flow, where the flow explains the colours.

    For each frame, the one before it is fetched along the flow: ``sum(O |D - D'|) / sum(O)`` with
    ``O = exp(-50 |I - I'|^2)``, averaged over frames. The literature's OPW, after NVDS; it takes
    depth that comes nearer for an error, and its numbers hang on the flow network, the flow's
    resolution and the depth's normalisation, which papers do not state alike. Numbers are
    comparable between runs of one setting only, not with any paper's.

    Args:
        depth: Aligned depth, ``(T, 1, H, W)``.
        image: sRGB in [0, 1], ``(T, 3, H, W)``.
        flow: From each frame but the first to the one before it, pixels right and down,
            ``(T - 1, 2, H, W)``.

    Returns:
        In the unit of ``depth``, scalar; nan for a single frame or where all flow leaves the image.

    Raises:
        ValueError: If the flow has not one map less than the clip has frames.
    """
    if flow.shape != (len(depth) - 1, 2, *depth.shape[-2:]):
        expected = (len(depth) - 1, 2, *depth.shape[-2:])
        raise ValueError(f"flow must have shape {expected}, got {tuple(flow.shape)}")
    before, inside = _fetch(torch.cat([depth, image.to(depth)], dim=1)[:-1], flow)
    likeness = (image[1:].to(depth) - before[:, 1:]).square().sum(dim=1, keepdim=True)
    weight = torch.exp(-COLOUR_DECAY * likeness).where(inside, 0.0)
    error = ((depth[1:] - before[:, :1]).abs() * weight).flatten(1).sum(dim=1)
    frames: Tensor = error / weight.flatten(1).sum(dim=1)
    return frames.nanmean() if bool(depth.isfinite().all()) else frames.mean()


def _fetch(maps: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Sample maps bilinearly where the flow points, and tell where that is within them."""
    height, width = maps.shape[-2:]
    v, u = torch.meshgrid(
        torch.arange(height, device=flow.device),
        torch.arange(width, device=flow.device),
        indexing="ij",
    )
    place = torch.stack([u, v]) + flow.to(maps)  # (N, 2, H, W)
    size = maps.new_tensor([width, height])[:, None, None]
    inside = ((place >= 0.0) & (place <= size - 1.0)).all(dim=1, keepdim=True)
    grid = ((2.0 * place + 1.0) / size - 1.0).permute(0, 2, 3, 1)
    fetched = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
    return fetched, inside


class FlowWarpingError(ClipMeans):
    """``flow_warping_error`` of aligned depth, averaged over clips; no paper's numbers.

    ``compute()`` returns ``opw`` in metres, and ``num_clips_without_pairs``.

    Args:
        alignment: How each clip is carried to metres.
        table: As in ``ImageMeans``.
    """

    NAMES = ("opw",)

    def __init__(self, alignment: Alignment = _LEAST_SQUARES, *, table: bool = False) -> None:
        super().__init__(alignment, self.NAMES, identity="opw", table=table)

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        image: Tensor,
        flow: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add whole clips.

        Args:
            prediction: Unaligned, affine in the alignment's space, ``(B, T, 1, H, W)``.
            depth: True depth in metres, same shape; for the alignment.
            valid: True where ``depth`` is a measurement, bool, same shape.
            image: sRGB in [0, 1], ``(B, T, 3, H, W)``.
            flow: As in ``flow_warping_error``, ``(B, T - 1, 2, H, W)``.
            key: Names of the clips, for the table.
        """

        def measure(index: int, aligned: Tensor) -> dict[str, Tensor]:
            return {"opw": flow_warping_error(aligned.double(), image[index], flow[index])}

        self.add_clips(prediction, depth, valid, measure, key=key)
