"""Temporal alignment error: do the depths of neighbouring frames agree in space."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ppvd.geometry import Alignment, splat_depth, vda_alignment
from ppvd.metrics.clips import ClipMeans

_VDA = vda_alignment()


def temporal_alignment_error(
    depth: Tensor, intrinsics: Tensor, pose: Tensor, *, parity: bool = False
) -> Tensor:
    """Return the mean relative disagreement of each frame with its neighbours carried over to it.

    For each pair of neighbours, both ways: the points of one are seen from the other's camera,
    and where both have a depth, ``|d - seen| / d`` is averaged; then over the pairs (TAE of Video
    Depth Anything, which prints it times 100). True depth does not score 0: it moves to whole
    pixels, and some of it is hidden.

    Args:
        depth: Aligned depth in metres, ``(T, 1, H, W)``.
        intrinsics: ``(T, 3, 3)``.
        pose: Camera to world, ``(T, 4, 4)``.
        parity: As in their evaluation, the last point on a pixel wins where here the nearest
            does, the earlier frame's intrinsics serve both of a pair, and a pair without overlap
            scores 0 where here it is left out.

    Returns:
        Scalar of ``depth``'s dtype; nan for a single frame, or where no pair overlaps.
    """
    errors = [
        error
        for first, second in pairwise(range(len(depth)))
        for error in _both_ways(first, second, depth, intrinsics, pose, parity=parity)
    ]
    kept = torch.stack(errors) if errors else depth.new_zeros(0)
    kept = kept.nan_to_num(nan=0.0) if parity and _finite(depth) else kept
    return kept.nanmean() if _finite(depth) else kept.mean()


def _both_ways(
    first: int, second: int, depth: Tensor, intrinsics: Tensor, pose: Tensor, *, parity: bool
) -> list[Tensor]:
    found = []
    for source, target in ((first, second), (second, first)):
        cameras = (first, first) if parity else (source, target)
        motion = torch.linalg.inv(pose[target].double()) @ pose[source].double()
        k, other_k = (intrinsics[index] for index in cameras)
        seen = splat_depth(depth[source], k, other_k, motion, zbuffer=not parity)
        both = (seen > 0.0) & (depth[target] > 0.0)
        error = (depth[target] - seen).abs() / depth[target].where(both, 1.0)
        found.append(error.where(both, 0.0).sum() / both.sum())
    return found


def _finite(depth: Tensor) -> bool:
    return bool(depth.isfinite().all())


class TemporalAlignmentError(ClipMeans):
    """TAE after one alignment a clip, averaged over clips.

    ``compute()`` returns ``tae``, a fraction, and ``num_without_pairs``, the clips left out.

    Args:
        alignment: How each clip is carried to metres.
        parity: As in ``temporal_alignment_error``.
        table: As in ``ImageMeans``.
    """

    NAMES = ("tae",)

    def __init__(
        self, alignment: Alignment = _VDA, *, parity: bool = False, table: bool = False
    ) -> None:
        super().__init__(alignment, self.NAMES, identity=f"{parity}", table=table)
        self.parity = parity

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        intrinsics: Tensor,
        pose: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add whole clips.

        Args:
            prediction: Unaligned, affine in the alignment's space, ``(B, T, 1, H, W)``.
            depth: True depth in metres, same shape.
            valid: True where ``depth`` is a measurement, bool, same shape; for the alignment,
                all predicted pixels are compared.
            intrinsics: ``(B, T, 3, 3)``.
            pose: Camera to world, ``(B, T, 4, 4)``.
            key: Names of the clips, for the table.
        """

        def measure(index: int, aligned: Tensor) -> dict[str, Tensor]:
            cameras = intrinsics[index], pose[index]
            error = temporal_alignment_error(aligned.double(), *cameras, parity=self.parity)
            return {"tae": error}

        self.add_clips(prediction, depth, valid, measure, key=key)
