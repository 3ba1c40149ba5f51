"""Metrics of whole clips: each counts as one image of ``ImageMeans``, given in one update."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ppvd.geometry import Alignment
from ppvd.metrics.means import ImageMeans


class ClipMeans(ImageMeans):
    """Averages values of clips after one alignment; subclasses give the values of one clip.

    ``compute()`` returns the means and ``num_clips_without_pairs``, the number of clips left out
    because a value has no meaning for them: a single frame, no pixel that counts, or no truth
    to be aligned to.

    Args:
        alignment: How each clip is carried to metres.
        names: Keys of the means.
        identity: As in ``ImageMeans``.
        table: As in ``ImageMeans``.
        counters: As in ``ImageMeans``, of clips.
    """

    def __init__(
        self,
        alignment: Alignment,
        names: Sequence[str],
        *,
        identity: str,
        table: bool,
        counters: Sequence[str] = (),
    ) -> None:
        super().__init__(
            names,
            skipped_name="num_clips_without_pairs",
            identity=f"{alignment} {identity}",
            counters=counters,
            table=table,
        )
        self.alignment = alignment

    def add_clips(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        measure: Callable[[int, Tensor], dict[str, Tensor]],
        *,
        key: Sequence[str] | None,
        flags: dict[str, Tensor] | None = None,
    ) -> None:
        """Align clips ``(B, T, 1, H, W)`` and add what ``measure`` finds in each.

        Args:
            prediction: Unaligned, affine in the alignment's space.
            depth: True depth in metres, same shape.
            valid: True where ``depth`` is a measurement, bool, same shape.
            measure: ``(index, aligned (T, 1, H, W))`` to scalars under ``names``; nan where
                the clip has nothing to measure, and is left out. A prediction that is not finite
                counts, and shows as nan.
            key: Names of the clips, for the table.
            flags: For each of ``counters``, whether the clip is one of them, bool, ``(B,)``.

        Raises:
            ValueError: If the maps have no frame axis.
        """
        if prediction.ndim != 5:
            raise ValueError(
                f"prediction must be clips (B, T, 1, H, W), got {tuple(prediction.shape)}"
            )
        aligned = self.alignment(prediction, depth, valid)
        found = [measure(index, clip) for index, clip in enumerate(aligned)]
        if not found:
            return
        values = {name: torch.stack([one[name] for one in found]) for name in self.names}
        unknown = torch.stack([value.isnan() for value in values.values()]).any(dim=0)
        broken = ~aligned.isfinite().flatten(1).all(dim=1)
        counts = valid.flatten(1).any(dim=1) & (broken | ~unknown.to(broken.device))
        self.add(values, counts.to(unknown.device), key=key, flags=flags)
