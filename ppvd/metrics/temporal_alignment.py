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
        pose: Camera to world, ``(T, 4, 4)``; pairs with one that is not finite are left out.
        parity: As in their evaluation, the last point on a pixel wins where here the nearest
            does, the earlier frame's intrinsics serve both of a pair, and a pair without overlap
            scores 0 where here it is left out.

    Returns:
        Float64 scalar; nan for a single frame, or where no pair overlaps.
    """
    posed = _posed(pose).tolist()
    errors = [
        error
        for first, second in pairwise(range(len(depth)))
        if posed[first] and posed[second]
        for error in _both_ways(first, second, depth, intrinsics, pose, parity=parity)
    ]
    kept = torch.stack(errors) if errors else depth.new_zeros(0, dtype=torch.double)
    if not depth.isfinite().all():
        return kept.mean()
    return kept.nan_to_num(nan=0.0).mean() if parity else kept.nanmean()


def _both_ways(
    first: int, second: int, depth: Tensor, intrinsics: Tensor, pose: Tensor, *, parity: bool
) -> list[Tensor]:
    found = []
    maps = {index: depth[index].double() for index in (first, second)}
    for source, target in ((first, second), (second, first)):
        cameras = (first, first) if parity else (source, target)
        motion = torch.linalg.inv(pose[target].double()) @ pose[source].double()
        k, other_k = (intrinsics[index] for index in cameras)
        seen = splat_depth(maps[source], k, other_k, motion, zbuffer=not parity)
        both = (seen > 0.0) & (maps[target] > 0.0)
        error = (maps[target] - seen).abs() / maps[target].where(both, 1.0)
        found.append(error.where(both, 0.0).sum() / both.sum())
    return found


def _posed(pose: Tensor) -> Tensor:
    return pose.isfinite().flatten(-2).all(dim=-1)


class TemporalAlignmentError(ClipMeans):
    """TAE after one alignment a clip, averaged over clips.

    ``compute()`` returns ``tae``, a fraction; ``num_clips_without_pairs``, the clips left out; and
    ``num_clips_with_lost_poses``, those of which a frame's pose is unknown, so that the pairs with
    it were left out.

    Args:
        alignment: How each clip is carried to metres.
        frames: First frame to take, and the one to stop before: Video Depth Anything takes 10 to
            180. Only these are aligned. None for all.
        parity: As in ``temporal_alignment_error``.
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``frames`` holds no pair.
    """

    NAMES = ("tae",)
    LOST = "num_clips_with_lost_poses"

    def __init__(
        self,
        alignment: Alignment = _VDA,
        *,
        frames: tuple[int, int] | None = None,
        parity: bool = False,
        table: bool = False,
    ) -> None:
        if frames is not None and not 0 <= frames[0] < frames[1] - 1:
            raise ValueError(
                f"frames must be a first frame from 0 and a later end, got {frames}: name at least "
                "two frames, or None for all"
            )
        super().__init__(
            alignment,
            self.NAMES,
            identity=f"{frames} {parity}",
            table=table,
            counters=(self.LOST,),
        )
        self.frames = frames
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
            pose: Camera to world, ``(B, T, 4, 4)``; not finite where it is unknown.
            key: Names of the clips, for the table.
        """
        part = self._part(depth.shape[1])
        cameras, poses = intrinsics[:, part], pose[:, part]

        def measure(index: int, aligned: Tensor) -> dict[str, Tensor]:
            seen = cameras[index], poses[index]
            return {"tae": temporal_alignment_error(aligned, *seen, parity=self.parity)}

        prediction, depth, valid = (one[:, part] for one in (prediction, depth, valid))
        lost = ~_posed(poses).all(dim=1)
        self.add_clips(prediction, depth, valid, measure, key=key, flags={self.LOST: lost})

    def _part(self, num_frames: int) -> slice:
        """Return which frames count: of a clip that ends before them the first, without a pair."""
        if self.frames is None:
            return slice(None)
        return slice(*self.frames) if num_frames > self.frames[0] else slice(1)
