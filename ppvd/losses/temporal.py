"""Reference-aligned temporal gradients (RTG): depth changes between frames as in truth (Eq. 9)."""

import torch
from torch import Tensor, nn

from ppvd.losses.step import CodeStep, error_where_valid, sum_per_valid


class TemporalGradient(nn.Module):
    """Absolute error of the change of code from each reference frame to each other frame.

    The first ``R`` frames of a clip are its references, as they are in the network. Eq. 9 sums
    the other frames up to ``T - R``, which leaves out the last ``R`` of them, and yet divides by
    ``R (T - R)``, the number of pairs with all of them. The evident meaning is taken: all frames
    that are no reference. The norm is read as the mean over pixels at which both frames of a
    pair are valid, all pairs together, so that the loss does not grow with the image (ours).

    Pixels are compared where they lie, without following the motion, as in Eq. 9.

    Args:
        num_references: Reference frames ``R`` (section III-F: 3).
        literal: Whether the sum ends at frame ``T - R``, as printed; its divisor stays
            ``R (T - R)``, so that the loss is smaller. Nothing is left of it up to ``T = 2 R``.

    Raises:
        ValueError: If there is no reference.
    """

    def __init__(self, num_references: int = 3, *, literal: bool = False) -> None:
        super().__init__()
        if num_references < 1:
            raise ValueError(f"num_references must be at least 1, got {num_references}")
        self.num_references = num_references
        self.literal = literal

    def forward(self, step: CodeStep) -> Tensor:
        """Return the loss of clips ``(B, T, 1, H, W)``, a float32 scalar.

        Zero for images, for clips of references alone, and where no pixel is valid twice.
        """
        if step.clean.ndim == 4:
            return step.predicted_clean.float().new_zeros(())
        error = error_where_valid(step.predicted_clean, step.clean, step.valid)
        first, last = self.num_references, error.shape[1]
        if self.literal:
            last = max(last - self.num_references, first)
        changes, counts = [], []
        for reference in range(min(first, error.shape[1])):
            both = step.valid[:, first:last] & step.valid[:, reference : reference + 1]
            change = error[:, first:last] - error[:, reference : reference + 1]
            changes.append(change.abs().where(both, 0.0).sum())
            counts.append(both.sum())
        printed = (last - first) / max(error.shape[1] - first, 1)
        return printed * sum_per_valid(torch.stack(changes), torch.stack(counts))
